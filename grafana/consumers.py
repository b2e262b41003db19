"""The consumers: who calls, how much, and how well they are served."""

from grafana import queries as q
from grafana.board import Board
from grafana.chosen import Chosen
from grafana.panels import (
    BYTES,
    BYTES_PER_SECOND,
    COUNT,
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
from grafana.variables import CONSUMER, GROUP, INSTANCE, JOB, ROUTE

_HERE = Chosen(JOB, INSTANCE, GROUP, CONSUMER, ROUTE)
_NAMED = _HERE.series(q.REQUESTS, f'{q.CONSUMER}!=""')
_ANONYMOUS = _HERE.series(q.REQUESTS, f'{q.CONSUMER}=""')
_FOLDED = _HERE.series(q.REQUESTS, f'{q.CONSUMER}="_OTHER"')
_BY = (q.CONSUMER,)
_LEGEND = q.legend(q.CONSUMER)


def _share(errors: str, window: str = q.INTERVAL) -> str:
    return q.ratio(q.rate(errors, _BY, window), q.rate(_HERE.requests, _BY, window))


def _of_all(part: str) -> str:
    return q.ratio(q.rate(part, window=q.RANGE), q.rate(_HERE.requests, window=q.RANGE))


_NUMBERS = (
    number(
        Text("Consumers", "Those that called in the time shown, and could be told apart."),
        COUNT,
        f"count({q.increase(_NAMED, _BY)} > 0)",
        width=8,
    ),
    number(
        Text("Without a consumer", "Share of requests of which `identify` did not tell who sent."),
        SHARE,
        _of_all(_ANONYMOUS),
        width=8,
    ),
    number(
        Text(
            "Not told apart",
            "Share of requests whose consumer is `_OTHER`, because there are more than"
            " `max_consumers`.",
        ),
        SHARE,
        _of_all(_FOLDED),
        width=8,
    ),
)

_TABLE = rows(
    Text("Consumers", "Over the time shown. Requests without a consumer have an empty one."),
    {q.CONSUMER: "Consumer", q.GROUP: "Group"},
    Column(q.increase(_HERE.requests, (q.CONSUMER, q.GROUP)), "Requests"),
    Column(
        q.ratio(
            q.rate(_HERE.server_errors, (q.CONSUMER, q.GROUP), q.RANGE),
            q.rate(_HERE.requests, (q.CONSUMER, q.GROUP), q.RANGE),
        ),
        "5xx",
        SHARE,
    ),
    Column(
        q.ratio(
            q.rate(_HERE.client_errors, (q.CONSUMER, q.GROUP), q.RANGE),
            q.rate(_HERE.requests, (q.CONSUMER, q.GROUP), q.RANGE),
        ),
        "4xx",
        SHARE,
    ),
    Column(q.quantile(0.95, _HERE.duration, (q.CONSUMER, q.GROUP), q.RANGE), "p95", SECONDS),
    Column(
        q.increase(_HERE.series(f"{q.RESPONSE_SIZE}_sum"), (q.CONSUMER, q.GROUP)),
        "Sent to them",
        BYTES,
    ),
)

_TRAFFIC = (
    lines(
        Text("Requests", "The 20 consumers with the most requests at each time."),
        PER_SECOND,
        Line(q.largest(20, q.rate(_HERE.requests, _BY)), _LEGEND),
        stacked=True,
    ),
    lines(
        Text("Requests by group", "Of consumers that have a group, such as a plan."),
        PER_SECOND,
        Line(q.rate(_HERE.requests, (q.GROUP,)), q.legend(q.GROUP)),
        stacked=True,
    ),
    lines(
        Text("Consumers at a time", "How many consumers called, and of how many groups."),
        COUNT,
        Line(f"count({q.rate(_NAMED, _BY)} > 0)", "consumers"),
        Line(f"count({q.rate(_NAMED, (q.GROUP,))} > 0)", "groups"),
    ),
    lines(
        Text(
            "Bodies sent",
            "Bytes a second on the wire, of the 20 consumers that got the most. Needs"
            " `metrics='all'`.",
        ),
        BYTES_PER_SECOND,
        Line(q.largest(20, q.rate(_HERE.series(f"{q.RESPONSE_SIZE}_sum"), _BY)), _LEGEND),
    ),
)

_SERVED = (
    lines(
        Text("Server errors", "Share of a consumer's requests that were answered with 5xx."),
        SHARE,
        Line(_share(_HERE.server_errors), _LEGEND),
    ),
    lines(
        Text(
            "Client errors",
            "Share of a consumer's requests that were answered with 4xx: a new version of theirs,"
            " or of yours.",
        ),
        SHARE,
        Line(_share(_HERE.client_errors), _LEGEND),
    ),
    lines(
        Text("p50", "Half of a consumer's requests took no longer, up to their last byte."),
        SECONDS,
        Line(q.quantile(0.5, _HERE.duration, _BY), _LEGEND),
    ),
    lines(
        Text("p95", "95 of 100 requests of a consumer took no longer, up to their last byte."),
        SECONDS,
        Line(q.quantile(0.95, _HERE.duration, _BY), _LEGEND, has_exemplars=True),
    ),
)

BOARD = Board(
    "consumers",
    "Consumers",
    "Each consumer's requests, errors, durations and bytes.",
    _HERE.variables,
    (
        ("Now", _NUMBERS),
        ("Consumers", (_TABLE,)),
        ("Traffic", _TRAFFIC),
        ("How they are served", _SERVED),
    ),
)
