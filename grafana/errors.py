"""The errors: what fails, where, and for whom."""

from grafana import queries as q
from grafana.board import Board
from grafana.panels import (
    COUNT,
    EVENTS_PER_SECOND,
    PER_SECOND,
    SHARE,
    Column,
    Line,
    Text,
    lines,
    number,
    rows,
)
from grafana.variables import CONSUMER, INSTANCE, JOB, ROUTE

_SCOPE = (JOB, INSTANCE, ROUTE, CONSUMER)
_M = tuple(variable.matcher for variable in _SCOPE)
_REQUESTS = q.select(q.REQUESTS, *_M)
_SERVER_ERRORS = q.select(q.REQUESTS, *_M, q.SERVER_ERROR)
_CLIENT_ERRORS = q.select(q.REQUESTS, *_M, q.CLIENT_ERROR)
_ALL_ERRORS = q.select(q.REQUESTS, *_M, f'{q.STATUS}=~"[45].."')
_NO_ANSWER = q.select(q.REQUESTS, *_M, q.NO_ANSWER)
_EXCEPTIONS = q.select(q.EXCEPTIONS, *_M)
_REFUSED = q.select(q.VALIDATION_ERRORS, *_M)
_ENDPOINT = (q.METHOD, q.ROUTE)
_ENDPOINT_LEGEND = f"{{{{{q.METHOD}}}}} {{{{{q.ROUTE}}}}}"
_STATUS_LEGEND = f"{{{{{q.STATUS}}}}} {_ENDPOINT_LEGEND}"
_CONSUMER_LEGEND = f"{{{{{q.CONSUMER}}}}}"


def _share(errors: str, label: str) -> str:
    return q.ratio(q.rate(errors, (label,)), q.rate(_REQUESTS, (label,)))


_NUMBERS = (
    number(
        Text("Server errors", "Requests that were answered with 5xx in the time shown."),
        COUNT,
        q.increase(_SERVER_ERRORS),
    ),
    number(
        Text("Client errors", "Requests that were answered with 4xx in the time shown."),
        COUNT,
        q.increase(_CLIENT_ERRORS),
    ),
    number(
        Text("Exceptions", "Exceptions that left the app's handlers in the time shown."),
        COUNT,
        q.increase(_EXCEPTIONS),
    ),
    number(
        Text("Validation errors", "Fields that validation refused in the time shown."),
        COUNT,
        q.increase(_REFUSED),
    ),
    number(
        Text("No answer", "Requests that ended without an answer in the time shown."),
        COUNT,
        q.increase(_NO_ANSWER),
    ),
    number(
        Text("Consumers with server errors", "Consumers that were answered with 5xx."),
        COUNT,
        f"count({q.increase(_SERVER_ERRORS, (q.CONSUMER,))} > 0)",
    ),
)

_SERVER = (
    lines(
        Text("Server errors", "Answers with 5xx a second, by status and endpoint."),
        PER_SECOND,
        Line(q.rate(_SERVER_ERRORS, (q.STATUS, *_ENDPOINT)), _STATUS_LEGEND),
    ),
    lines(
        Text("Exceptions", "Exceptions that left the app's handlers, by endpoint."),
        EVENTS_PER_SECOND,
        Line(q.rate(_EXCEPTIONS, _ENDPOINT), _ENDPOINT_LEGEND),
    ),
    lines(
        Text("Server errors by route", "Share of a route's requests that were answered with 5xx."),
        SHARE,
        Line(_share(_SERVER_ERRORS, q.ROUTE), f"{{{{{q.ROUTE}}}}}"),
    ),
    lines(
        Text("Server errors by consumer", "Share of a consumer's requests answered with 5xx."),
        SHARE,
        Line(_share(_SERVER_ERRORS, q.CONSUMER), _CONSUMER_LEGEND),
    ),
    lines(
        Text(
            "No answer",
            "Requests that ended without an answer, by endpoint: the app gave none, or the client"
            " was gone before.",
        ),
        PER_SECOND,
        Line(q.rate(_NO_ANSWER, _ENDPOINT), _ENDPOINT_LEGEND),
    ),
)

_CLIENT = (
    lines(
        Text("Client errors", "Answers with 4xx a second, by status and endpoint."),
        PER_SECOND,
        Line(q.rate(_CLIENT_ERRORS, (q.STATUS, *_ENDPOINT)), _STATUS_LEGEND),
    ),
    lines(
        Text("Client errors by consumer", "Share of a consumer's requests answered with 4xx."),
        SHARE,
        Line(_share(_CLIENT_ERRORS, q.CONSUMER), _CONSUMER_LEGEND),
    ),
    lines(
        Text("Validation errors", "Fields that validation refused, by endpoint."),
        EVENTS_PER_SECOND,
        Line(q.rate(_REFUSED, _ENDPOINT), _ENDPOINT_LEGEND),
    ),
    lines(
        Text("Validation errors by consumer", "Fields that validation refused, by consumer."),
        EVENTS_PER_SECOND,
        Line(q.rate(_REFUSED, (q.CONSUMER,)), _CONSUMER_LEGEND),
    ),
)

_TABLE = rows(
    Text("Errors", "The 50 most frequent in the time shown."),
    {
        q.STATUS: "Status",
        q.METHOD: "Method",
        q.ROUTE: "Route",
        q.CONSUMER: "Consumer",
    },
    Column(
        q.largest(50, f"{q.increase(_ALL_ERRORS, (q.STATUS, *_ENDPOINT, q.CONSUMER))} > 0"),
        "Requests",
    ),
)

BOARD = Board(
    "errors",
    "Errors",
    "Answers with 4xx and 5xx, exceptions, and fields that validation refused.",
    _SCOPE,
    (
        ("In the time shown", _NUMBERS),
        ("Of the server", _SERVER),
        ("Of clients", _CLIENT),
        ("All", (_TABLE,)),
    ),
)
