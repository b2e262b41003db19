"""The endpoints: which routes are called, how often they fail and how long they take."""

from grafana import queries as q
from grafana.board import Board
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

_SCOPE = (JOB, INSTANCE, METHOD, ROUTE)
_M = tuple(variable.matcher for variable in _SCOPE)
_REQUESTS = q.select(q.REQUESTS, *_M)
_SERVER_ERRORS = q.select(q.REQUESTS, *_M, q.SERVER_ERROR)
_CLIENT_ERRORS = q.select(q.REQUESTS, *_M, q.CLIENT_ERROR)
_DURATION = (q.DURATION, *_M)
_BY = (q.METHOD, q.ROUTE)
_LEGEND = f"{{{{{q.METHOD}}}}} {{{{{q.ROUTE}}}}}"


def _share(errors: str, window: str = q.INTERVAL) -> str:
    return q.ratio(q.rate(errors, _BY, window), q.rate(_REQUESTS, _BY, window))


_TABLE = rows(
    Text("Endpoints", "Over the time shown. Requests that met no route have an empty one."),
    {q.METHOD: "Method", q.ROUTE: "Route"},
    Column(q.increase(_REQUESTS, _BY), "Requests"),
    Column(_share(_SERVER_ERRORS, q.RANGE), "5xx", SHARE),
    Column(_share(_CLIENT_ERRORS, q.RANGE), "4xx", SHARE),
    Column(q.quantile(0.5, _DURATION, _BY, q.RANGE), "p50", SECONDS),
    Column(q.quantile(0.95, _DURATION, _BY, q.RANGE), "p95", SECONDS),
    Column(
        f"count by ({', '.join(_BY)}) ({q.increase(_REQUESTS, (*_BY, q.CONSUMER))} > 0)",
        "Consumers",
        COUNT,
    ),
)

_TRAFFIC = (
    lines(
        Text("Requests", "By method and route."),
        PER_SECOND,
        Line(q.rate(_REQUESTS, _BY), _LEGEND),
        stacked=True,
    ),
    lines(
        Text("Requests by status", "By the status that was answered."),
        PER_SECOND,
        Line(q.rate(_REQUESTS, (q.STATUS,)), f"{{{{{q.STATUS}}}}}"),
        stacked=True,
    ),
    lines(
        Text("Server errors", "Share of an endpoint's requests that were answered with 5xx."),
        SHARE,
        Line(_share(_SERVER_ERRORS), _LEGEND),
    ),
    lines(
        Text("Client errors", "Share of an endpoint's requests that were answered with 4xx."),
        SHARE,
        Line(_share(_CLIENT_ERRORS), _LEGEND),
    ),
)

_DURATIONS = (
    lines(
        Text("p50", "Half of an endpoint's requests took no longer, up to their last byte."),
        SECONDS,
        Line(q.quantile(0.5, _DURATION, _BY), _LEGEND),
    ),
    lines(
        Text("p95", "95 of 100 requests of an endpoint took no longer, up to their last byte."),
        SECONDS,
        Line(q.quantile(0.95, _DURATION, _BY), _LEGEND, has_exemplars=True),
    ),
    lines(
        Text("Mean duration", "A single slow request shows here, and hardly in a quantile."),
        SECONDS,
        Line(q.mean(_DURATION, _BY), _LEGEND),
    ),
    lines(
        Text("Within 250 ms", "Share of an endpoint's requests that took at most 250 ms."),
        SHARE,
        Line(q.within("0.25", _DURATION, _BY), _LEGEND),
    ),
)

_SIZES = (
    lines(
        Text("Request bodies", "Mean size on the wire. Needs `metrics='all'`."),
        BYTES,
        Line(q.mean((q.REQUEST_SIZE, *_M), _BY), _LEGEND),
    ),
    lines(
        Text("Response bodies", "Mean size on the wire. Needs `metrics='all'`."),
        BYTES,
        Line(q.mean((q.RESPONSE_SIZE, *_M), _BY), _LEGEND),
    ),
)

BOARD = Board(
    "endpoints",
    "Endpoints",
    "Each route's requests, errors, durations and sizes.",
    _SCOPE,
    (
        ("Endpoints", (_TABLE,)),
        ("Traffic", _TRAFFIC),
        ("Durations", _DURATIONS),
        ("Sizes", _SIZES),
    ),
)
