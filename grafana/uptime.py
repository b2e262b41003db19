"""The uptime: which instances Prometheus reaches, since when they run, and what alerts."""

from grafana import queries as q
from grafana.board import Board
from grafana.chosen import Chosen
from grafana.panels import (
    COUNT,
    FULL,
    PER_SECOND,
    SECONDS,
    SHARE,
    Column,
    Line,
    Text,
    lines,
    number,
    rows,
)
from grafana.variables import INSTANCE, JOB

_HERE = Chosen(JOB, INSTANCE)
_UP = _HERE.series("up")
_STARTED = _HERE.series("process_start_time_seconds")
_FIRING = q.select("ALERTS", 'alertname=~"ApiMetrics.*"', JOB.matcher)
_BY = ("job", "instance")
_LEGEND = q.legend(*_BY)
_VERSIONS = (*_BY, "service_name", "service_version", "telemetry_sdk_version")

_NUMBERS = (
    number(Text("Up", "Instances that answered the last scrape."), COUNT, f"sum({_UP})", width=6),
    number(
        Text("Down", "Instances that did not answer the last scrape."),
        COUNT,
        f"count({_UP}) - sum({_UP})",
        width=6,
    ),
    number(
        Text("Availability", "Share of scrapes in the time shown that were answered."),
        SHARE,
        f"avg(avg_over_time({_UP}[{q.RANGE}]))",
        width=6,
    ),
    number(
        Text("Restarts", "How often processes began anew in the time shown, at one address."),
        COUNT,
        f"sum(changes({_STARTED}[{q.RANGE}]))",
        width=6,
    ),
)

_INSTANCES = (
    lines(
        Text("Up", "1: the instance answered the scrape; 0: it did not."),
        COUNT,
        Line(_UP, _LEGEND),
    ),
    lines(
        Text("Requests", "Whether an instance that answers scrapes is asked anything else."),
        PER_SECOND,
        Line(q.rate(_HERE.requests, _BY), _LEGEND),
    ),
    lines(
        Text("Time since the start", "How long a process has run; it falls where one began anew."),
        SECONDS,
        Line(f"time() - min by ({', '.join(_BY)}) ({_STARTED})", _LEGEND),
    ),
    lines(
        Text("Restarts", "How often a process began anew at one address, in ten minutes."),
        COUNT,
        Line(f"max by ({', '.join(_BY)}) (changes({_STARTED}[10m]))", _LEGEND),
    ),
    rows(
        Text("Versions", "The resource of each instance."),
        {
            "job": "Job",
            "instance": "Instance",
            "service_name": "Service",
            "service_version": "Version",
            "telemetry_sdk_version": "OpenTelemetry SDK",
        },
        Column(f"count by ({', '.join(_VERSIONS)}) ({_HERE.series('target_info')})", "Resources"),
    ),
)

_SCRAPES = (
    lines(
        Text("Duration of scrapes", "How long an instance takes to answer one."),
        SECONDS,
        Line(_HERE.series("scrape_duration_seconds"), _LEGEND),
    ),
    lines(
        Text("Samples", "How many samples a scrape has: routes, statuses and consumers make them."),
        COUNT,
        Line(_HERE.series("scrape_samples_scraped"), _LEGEND),
    ),
)

_ALERTS = lines(
    Text("Alerts", "Those of `rules/alerts.yaml`, where Prometheus has the file: how many are so."),
    COUNT,
    Line(
        f"count by (alertname, alertstate) ({_FIRING})",
        "{{alertname}} {{alertstate}}",
    ),
    width=FULL,
)

BOARD = Board(
    "uptime",
    "Uptime",
    "Instances, their restarts and versions, scrapes and alerts.",
    _HERE.variables,
    (
        ("Now", _NUMBERS),
        ("Instances", _INSTANCES),
        ("Scrapes", _SCRAPES),
        ("Alerts", (_ALERTS,)),
    ),
)
