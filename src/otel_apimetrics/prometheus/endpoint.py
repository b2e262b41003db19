"""`/metrics` as a WSGI app and as an ASGI app, alone or mounted in another."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import parse_qs

from otel_apimetrics import _guard
from otel_apimetrics.api import skip_request
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus.event_loops import on_thread
from otel_apimetrics.prometheus.exposition import Scrape
from otel_apimetrics.prometheus.label_values import refuse_async

Authorize = Callable[[Mapping[str, str]], "bool | Awaitable[bool]"]
"""Tells whether a scrape may read, from its header lines by their names in small letters.

Asked on the thread or in the task that serves the scrape. Under WSGI it is no coroutine function.
What it raises is logged, and answered with 500."""

ALLOWED: Final = ("GET", "HEAD", "OPTIONS")
_ASKS: Final = ("WWW-Authenticate", 'Basic realm="metrics", charset="UTF-8"')
_TEXT: Final = "text/plain; charset=utf-8"


class Scraped(Protocol):
    """What an endpoint shows; a `PrometheusReader` is one.

    Called on any thread, several at once. It may block while observable instruments are asked.
    """

    def scrape(self, accept: str, accept_encoding: str, names: list[str]) -> Scrape:
        """Give the answer to one scrape; whatever it raises is answered with 500."""
        ...


class Answer(NamedTuple):
    """A response without a framework."""

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes


def answer(
    scraped: Scraped, method: str, query: str, headers: Mapping[str, str], *, allowed: bool
) -> Answer:
    """Answer one request to the endpoint.

    Args:
        scraped: is asked where the request may read.
        method: GET, HEAD and OPTIONS are answered, others with 405.
        query: may have `name[]`, once or more often.
        headers: by their names in small letters.
        allowed: what `Authorize` said.
    """
    if method not in ALLOWED:
        return _plain(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", ", ".join(ALLOWED)))
    if method == "OPTIONS":
        return Answer(HTTPStatus.OK, [("Allow", ", ".join(ALLOWED)), ("Content-Length", "0")], b"")
    if not allowed:
        return _plain(HTTPStatus.UNAUTHORIZED, _ASKS)
    try:
        names = parse_qs(query, keep_blank_values=True).get("name[]", [])
        scrape = scraped.scrape(
            headers.get("accept", ""), headers.get("accept-encoding", ""), names
        )
    except Exception as error:
        _guard.swallow("prometheus.scrape", error, reveal=True)
        return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
    lines = [
        ("Content-Type", scrape.content_type),
        ("Content-Length", str(len(scrape.body))),
        ("Vary", "Accept, Accept-Encoding"),
    ]
    if scrape.is_gzip:
        lines.append(("Content-Encoding", "gzip"))
    return Answer(HTTPStatus.OK, lines, b"" if method == "HEAD" else scrape.body)


def _plain(status: HTTPStatus, *more: tuple[str, str]) -> Answer:
    body = f"{status.value} {status.phrase}\n".encode()
    return Answer(
        status, [("Content-Type", _TEXT), ("Content-Length", str(len(body))), *more], body
    )


def _checked(reader: Scraped) -> Scraped:
    if not callable(getattr(reader, "scrape", None)):
        raise ConfigError(
            f"{reader!r} is no PrometheusReader. Give the reader that the MeterProvider was given."
        )
    return reader


def _checked_authorize(authorize: Authorize | None) -> Authorize | None:
    if authorize is not None and not callable(authorize):
        raise ConfigError(
            f"authorize={authorize!r} cannot be called: give a function of the header lines that"
            " returns True for a scrape that may read."
        )
    return authorize


class ScrapeWSGIApp:
    """The endpoint as a WSGI app (PEP 3333), at whatever path it is mounted.

    Args:
        reader: a `PrometheusReader` of the app's `MeterProvider`.
        authorize: tells whether a scrape may read; without it each one may.

    Raises:
        ConfigError: `reader` is none, or `authorize` cannot be called or is a coroutine function.
    """

    def __init__(self, reader: Scraped, *, authorize: Authorize | None = None) -> None:
        self._reader: Final = _checked(reader)
        refuse_async("authorize", authorize)
        self._authorize: Final = _checked_authorize(authorize)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Serve one scrape."""
        skip_request()
        made = self.answer(environ)
        start_response(f"{made.status.value} {made.status.phrase}", made.headers)
        return [made.body]

    def answer(self, environ: Mapping[str, Any]) -> Answer:
        """Answer one request, for a framework that makes its own response."""
        headers = {
            key[5:].replace("_", "-").lower(): value
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        try:
            allowed = self._authorize is None or self._authorize(headers) is True
        except Exception as error:
            _guard.swallow("prometheus.authorize", error)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        return answer(
            self._reader,
            environ["REQUEST_METHOD"],
            environ.get("QUERY_STRING", ""),
            headers,
            allowed=allowed,
        )


class ScrapeASGIApp:
    """The endpoint as an ASGI 3 app, at whatever path it is mounted.

    What is scraped is collected on a thread of the event loop's, which goes on meanwhile; the loop
    is asyncio's or Trio's.

    Args:
        reader: a `PrometheusReader` of the app's `MeterProvider`.
        authorize: tells whether a scrape may read, or is a coroutine function that does.

    Raises:
        ConfigError: `reader` is none, or `authorize` cannot be called.
    """

    def __init__(self, reader: Scraped, *, authorize: Authorize | None = None) -> None:
        self._reader: Final = _checked(reader)
        self._authorize: Final = _checked_authorize(authorize)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one scrape; a lifespan is accepted, a WebSocket is refused."""
        if scope["type"] == "lifespan":
            await _serve_lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        skip_request()
        made = await self._answer(scope)
        lines = [(name.lower().encode(), value.encode()) for name, value in made.headers]
        status = made.status.value
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": made.body})

    async def _answer(self, scope: Mapping[str, Any]) -> Answer:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            said = True if self._authorize is None else self._authorize(headers)
            allowed = (await said if inspect.isawaitable(said) else said) is True
        except Exception as error:
            _guard.swallow("prometheus.authorize", error)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        query = scope.get("query_string", b"").decode("latin-1")
        made: Answer = await on_thread(
            partial(answer, self._reader, scope["method"], query, headers, allowed=allowed)
        )
        return made


async def _serve_lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
