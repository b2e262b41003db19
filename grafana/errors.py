"""The errors: what fails, where, and for whom."""

from grafana import queries as q
from grafana.board import Board
from grafana.chosen import Chosen
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

_HERE = Chosen(JOB, INSTANCE, ROUTE, CONSUMER)
_ALL_ERRORS = _HERE.series(q.REQUESTS, f'{q.STATUS}=~"[45].."')
_NO_ANSWER = _HERE.series(q.REQUESTS, q.NO_ANSWER)
_EXCEPTIONS = _HERE.series(q.EXCEPTIONS)
_REFUSED = _HERE.series(q.VALIDATION_ERRORS)
_ENDPOINT = (q.METHOD, q.ROUTE)
_ENDPOINT_LEGEND = q.legend(*_ENDPOINT)
_STATUS_LEGEND = q.legend(q.STATUS, *_ENDPOINT)
_CONSUMER_LEGEND = q.legend(q.CONSUMER)


def _share(errors: str, label: str) -> str:
    return q.ratio(q.rate(errors, (label,)), q.rate(_HERE.requests, (label,)))


_NUMBERS = (
    number(
        Text("Server errors", "Requests that were answered with 5xx in the time shown."),
        COUNT,
        q.increase(_HERE.server_errors),
    ),
    number(
        Text("Client errors", "Requests that were answered with 4xx in the time shown."),
        COUNT,
        q.increase(_HERE.client_errors),
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
        f"count({q.increase(_HERE.server_errors, (q.CONSUMER,))} > 0)",
    ),
)

_SERVER = (
    lines(
        Text("Server errors", "Answers with 5xx a second, by status and endpoint."),
        PER_SECOND,
        Line(q.rate(_HERE.server_errors, (q.STATUS, *_ENDPOINT)), _STATUS_LEGEND),
    ),
    lines(
        Text("Exceptions", "Exceptions that left the app's handlers, by endpoint."),
        EVENTS_PER_SECOND,
        Line(q.rate(_EXCEPTIONS, _ENDPOINT), _ENDPOINT_LEGEND),
    ),
    lines(
        Text("Server errors by route", "Share of a route's requests that were answered with 5xx."),
        SHARE,
        Line(_share(_HERE.server_errors, q.ROUTE), q.legend(q.ROUTE)),
    ),
    lines(
        Text("Server errors by consumer", "Share of a consumer's requests answered with 5xx."),
        SHARE,
        Line(_share(_HERE.server_errors, q.CONSUMER), _CONSUMER_LEGEND),
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
        Line(q.rate(_HERE.client_errors, (q.STATUS, *_ENDPOINT)), _STATUS_LEGEND),
    ),
    lines(
        Text("Client errors by consumer", "Share of a consumer's requests answered with 4xx."),
        SHARE,
        Line(_share(_HERE.client_errors, q.CONSUMER), _CONSUMER_LEGEND),
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
    _HERE.variables,
    (
        ("In the time shown", _NUMBERS),
        ("Of the server", _SERVER),
        ("Of clients", _CLIENT),
        ("All", (_TABLE,)),
    ),
)
