"""What a browser sees of an app without us, and the same app beside us."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
)
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

Order = Literal["ours first", "theirs first"]
ORDERS: tuple[Order, ...] = ("ours first", "theirs first")
"""Which is put on an app first. Of two middlewares, the first one is the inner one."""


@dataclass(frozen=True)
class Answer:
    """One response, its headers in their order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return dict(reversed(self.headers)).get(name)


class Browser:
    """Speaks to a WSGI app, or to an ASGI app, and keeps cookies.

    Values of cookies are left out of its answers, because they tell the time or are random, and
    so is when they expire.
    """

    def __init__(
        self, app: Any, interface: Literal["wsgi", "asgi"] = "wsgi", **environ: Any
    ) -> None:
        self._app = app
        self._ask = self._ask_wsgi if interface == "wsgi" else self._ask_asgi
        self._environ = environ
        self._cookies: dict[str, str] = {}
        self.iterables: list[Any] = []
        """What a WSGI app returned."""

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        """Send a request; an underscore in the name of a header is a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._cookies:
            named["cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        status, found, content = self._ask(method, path, body, named)
        shown = []
        for name, value in found:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
                value = re.sub(r"=[^;]*", "=...", value, count=1)
                value = re.sub(r"(expires=)[^;]*", r"\1...", value, flags=re.IGNORECASE)
            shown.append((name.lower(), value))
        return Answer(status, tuple(shown), content)

    def _ask_wsgi(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        environ = make_environ(method, path, body=body, headers=headers, **self._environ)
        seen = serve_wsgi(self._app, environ)
        assert seen.error is None
        self.iterables.append(seen.iterable)
        return (
            seen.status,
            [event[2] for event in seen.events if event[0] == "start"][-1],
            seen.body,
        )

    def _ask_asgi(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        seen = serve_asgi(
            self._app, make_scope(method, path, headers=lines), request_messages(body)
        )
        assert seen.error is None
        start = seen.sent[0]
        found = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return seen.status, found, seen.body


Talk = Callable[[Browser], list[Answer]]


def instrumented_in(
    order: Order,
    make: Callable[[], Any],
    instrumentor: ApiMetricsInstrumentor,
    telemetry: Telemetry,
) -> Any:
    """Make an app that carries an extension, before or after we are switched on."""
    options = {"capture_body": "all", "capture_headers": "all", **telemetry.providers}
    if order == "ours first":
        instrumentor.instrument(**options)
        return make()
    app = make()
    instrumentor.instrument(**options)
    return app


def wrapped_in(
    order: Order, app: Any, theirs: Callable[[Any], Any], telemetry: Telemetry, interface: str
) -> Any:
    """Put two middlewares around an app."""
    middleware = ApiMetricsWSGIMiddleware if interface == "wsgi" else ApiMetricsASGIMiddleware
    options = {"capture_body": "all", "capture_headers": "all", **telemetry.providers}
    if order == "ours first":
        return theirs(middleware(app, **options))
    return middleware(theirs(app), **options)


def one_record_each(telemetry: Telemetry, answers: list[Answer]) -> bool:
    """Tell whether each answer has its one span and counts once, with its own status."""
    statuses = [span.attributes["http.response.status_code"] for span in telemetry.server_spans]
    return statuses == [answer.status for answer in answers] and telemetry.total() == len(answers)
