"""The overview: is the service well, and if not, where to look."""

from grafana import queries as q
from grafana.board import Board, uid
from grafana.chosen import Chosen
from grafana.panels import (
    BYTES_PER_SECOND,
    COUNT,
    HALF,
    PER_SECOND,
    SECONDS,
    SHARE,
    Column,
    Line,
    Text,
    heat,
    lines,
    number,
    rows,
)
from grafana.variables import INSTANCE, JOB

_HERE = Chosen(JOB, INSTANCE)
_NAMED = _HERE.series(q.REQUESTS, f'{q.CONSUMER}!=""')
_CHOSEN = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", "instance"))
_ROW = "${__value.text:percentencode}"
_TO_ROUTE = f"/d/{uid('endpoints')}?var-route={_ROW}&{_CHOSEN}&${{__url_time_range}}"
_TO_CONSUMER = f"/d/{uid('consumers')}?var-consumer={_ROW}&{_CHOSEN}&${{__url_time_range}}"


def _share(errors: str, window: str = q.INTERVAL) -> str:
    return q.ratio(q.rate(errors, window=window), q.rate(_HERE.requests, window=window))


def _status(digit: str) -> str:
    return q.rate(_HERE.series(q.REQUESTS, f'{q.STATUS}=~"{digit}.."'))


_QUICK = q.within("0.25", (*_HERE.duration, f'{q.STATUS}!~"5.."'))
_TOLERABLE = q.within(r"1(\\.0)?", (*_HERE.duration, f'{q.STATUS}!~"5.."'))

_NUMBERS = (
    number(
        Text("Requests", "Requests a second, over the time shown."),
        PER_SECOND,
        q.rate(_HERE.requests, window=q.RANGE),
    ),
    number(
        Text("Server errors", "Share of requests that were answered with 5xx."),
        SHARE,
        _share(_HERE.server_errors, q.RANGE),
    ),
    number(
        Text("Client errors", "Share of requests that were answered with 4xx."),
        SHARE,
        _share(_HERE.client_errors, q.RANGE),
    ),
    number(
        Text("p95", "95 of 100 requests took no longer, up to their last byte."),
        SECONDS,
        q.quantile(0.95, _HERE.duration, window=q.RANGE),
    ),
    number(
        Text("Consumers", "Consumers that called in the time shown, and could be told apart."),
        COUNT,
        f"count({q.increase(_NAMED, (q.CONSUMER,))} > 0)",
    ),
    number(
        Text(
            "Instances",
            "Those that show requests now; a Collector shows those that have ended as well.",
        ),
        COUNT,
        f"count(count by (job, instance) ({_HERE.requests}))",
    ),
)

_TRAFFIC = (
    lines(
        Text(
            "Requests by status",
            "By class of the status. No answer: the app ended, or the client was gone, before there"
            " was one.",
        ),
        PER_SECOND,
        Line(_status("2"), "2xx"),
        Line(_status("3"), "3xx"),
        Line(_status("4"), "4xx"),
        Line(_status("5"), "5xx"),
        Line(q.rate(_HERE.series(q.REQUESTS, q.NO_ANSWER)), "no answer"),
        stacked=True,
    ),
    lines(
        Text("Errors", "Share of requests that were answered with 5xx and with 4xx."),
        SHARE,
        Line(_share(_HERE.server_errors), "server errors"),
        Line(_share(_HERE.client_errors), "client errors"),
    ),
    lines(
        Text(
            "Duration",
            "From a request's entry to the last byte of its answer: streams count as a whole.",
        ),
        SECONDS,
        Line(q.quantile(0.5, _HERE.duration), "p50"),
        Line(q.quantile(0.95, _HERE.duration), "p95", has_exemplars=True),
        Line(q.quantile(0.99, _HERE.duration), "p99"),
    ),
    lines(
        Text(
            "Apdex (250 ms)",
            "1: all requests took at most 250 ms; those up to a second count half, slower ones and"
            " 5xx not at all.",
        ),
        SHARE,
        Line(f"({_QUICK} + {_TOLERABLE}) / 2", "Apdex"),
    ),
    heat(
        Text("Durations", "How many requests a second took how long."),
        q.rate(_HERE.series(f"{q.DURATION}_bucket"), ("le",)),
    ),
)

_TABLES = (
    rows(
        Text("Routes", "The ten with the most requests. Requests that met no route have none."),
        {q.ROUTE: "Route"},
        Column(q.largest(10, q.increase(_HERE.requests, (q.ROUTE,))), "Requests"),
        links={"Route": _TO_ROUTE},
        width=HALF,
    ),
    rows(
        Text("Consumers", "The ten with the most requests. Requests without a consumer have none."),
        {q.CONSUMER: "Consumer"},
        Column(q.largest(10, q.increase(_HERE.requests, (q.CONSUMER,))), "Requests"),
        links={"Consumer": _TO_CONSUMER},
        width=HALF,
    ),
)

_LOAD = (
    lines(
        Text(
            "Requests in flight",
            "By method, at the time of each scrape. Needs `metrics='all'`.",
        ),
        COUNT,
        Line(f"{q.total((q.METHOD,))} ({_HERE.series(q.ACTIVE)})", q.legend(q.METHOD)),
    ),
    lines(
        Text("Bodies", "Bytes a second on the wire. Needs `metrics='all'`."),
        BYTES_PER_SECOND,
        Line(q.rate(_HERE.series(f"{q.REQUEST_SIZE}_sum")), "received"),
        Line(q.rate(_HERE.series(f"{q.RESPONSE_SIZE}_sum")), "sent"),
    ),
)

BOARD = Board(
    "overview",
    "Overview",
    "Requests, errors and durations of an API that otel-apimetrics watches.",
    _HERE.variables,
    (("Now", _NUMBERS), ("Traffic", _TRAFFIC), ("Most called", _TABLES), ("Load", _LOAD)),
)
