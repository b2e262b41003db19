"""The endpoints: which routes are called, how often they fail and how long they take."""

from grafana import queries as q
from grafana.board import Board
from grafana.chosen import Chosen
from grafana.panels import (
    BYTES,
    COUNT,
    PER_SECOND,
    SECONDS,
    SHARE,
    Column,
    Line,
    Text,
    lines,
    rows,
)
from grafana.variables import INSTANCE, JOB, METHOD, ROUTE

_HERE = Chosen(JOB, INSTANCE, METHOD, ROUTE)
_BY = (q.METHOD, q.ROUTE)
_LEGEND = q.legend(*_BY)


def _share(errors: str, window: str = q.INTERVAL) -> str:
    return q.ratio(q.rate(errors, _BY, window), q.rate(_HERE.requests, _BY, window))


_TABLE = rows(
    Text("Endpoints", "Over the time shown. Requests that met no route have an empty one."),
    {q.METHOD: "Method", q.ROUTE: "Route"},
    Column(q.increase(_HERE.requests, _BY), "Requests"),
    Column(_share(_HERE.server_errors, q.RANGE), "5xx", SHARE),
    Column(_share(_HERE.client_errors, q.RANGE), "4xx", SHARE),
    Column(q.quantile(0.5, _HERE.duration, _BY, q.RANGE), "p50", SECONDS),
    Column(q.quantile(0.95, _HERE.duration, _BY, q.RANGE), "p95", SECONDS),
    Column(
        f"count by ({', '.join(_BY)}) ({q.increase(_HERE.requests, (*_BY, q.CONSUMER))} > 0)",
        "Consumers",
        COUNT,
    ),
)

_TRAFFIC = (
    lines(
        Text("Requests", "By method and route."),
        PER_SECOND,
        Line(q.rate(_HERE.requests, _BY), _LEGEND),
        stacked=True,
    ),
    lines(
        Text("Requests by status", "By the status that was answered."),
        PER_SECOND,
        Line(q.rate(_HERE.requests, (q.STATUS,)), q.legend(q.STATUS)),
        stacked=True,
    ),
    lines(
        Text("Server errors", "Share of an endpoint's requests that were answered with 5xx."),
        SHARE,
        Line(_share(_HERE.server_errors), _LEGEND),
    ),
    lines(
        Text("Client errors", "Share of an endpoint's requests that were answered with 4xx."),
        SHARE,
        Line(_share(_HERE.client_errors), _LEGEND),
    ),
)

_DURATIONS = (
    lines(
        Text("p50", "Half of an endpoint's requests took no longer, up to their last byte."),
        SECONDS,
        Line(q.quantile(0.5, _HERE.duration, _BY), _LEGEND),
    ),
    lines(
        Text("p95", "95 of 100 requests of an endpoint took no longer, up to their last byte."),
        SECONDS,
        Line(q.quantile(0.95, _HERE.duration, _BY), _LEGEND, has_exemplars=True),
    ),
    lines(
        Text("Mean duration", "A single slow request shows here, and hardly in a quantile."),
        SECONDS,
        Line(q.mean(_HERE.duration, _BY), _LEGEND),
    ),
    lines(
        Text("Within 250 ms", "Share of an endpoint's requests that took at most 250 ms."),
        SHARE,
        Line(q.within("0.25", _HERE.duration, _BY), _LEGEND),
    ),
)

_SIZES = (
    lines(
        Text("Request bodies", "Mean size on the wire. Needs `metrics='all'`."),
        BYTES,
        Line(q.mean(_HERE.histogram(q.REQUEST_SIZE), _BY), _LEGEND),
    ),
    lines(
        Text("Response bodies", "Mean size on the wire. Needs `metrics='all'`."),
        BYTES,
        Line(q.mean(_HERE.histogram(q.RESPONSE_SIZE), _BY), _LEGEND),
    ),
)

BOARD = Board(
    "endpoints",
    "Endpoints",
    "Each route's requests, errors, durations and sizes.",
    _HERE.variables,
    (
        ("Endpoints", (_TABLE,)),
        ("Traffic", _TRAFFIC),
        ("Durations", _DURATIONS),
        ("Sizes", _SIZES),
    ),
)
