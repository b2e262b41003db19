"""A WSGI app whose answer may be another's: a middleware directly around the app (PEP 3333)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from otel_apimetrics.exchange import Headers
from otel_apimetrics.frameworks.governing import Answer, Governed
from otel_apimetrics.recording import Recording


def govern_wsgi(
    app: Callable[..., Iterable[bytes]],
    recording: Recording,
    on_response: Callable[[Recording], None] | None,
) -> Callable[..., Iterable[bytes]]:
    """Put an app under the governors of its pipeline, for one request.

    Args:
        app: any WSGI callable.
        recording: of the request.
        on_response: notes what only the framework knows.
    """
    return _Call(app, Governed(recording, on_response))


class _Call:
    """One call of the app. What is seen of its response is what the client gets."""

    __slots__ = ("_added", "_app", "_governed", "_start_response", "answer", "started")

    def __init__(self, app: Callable[..., Iterable[bytes]], governed: Governed) -> None:
        self._app = app
        self._governed = governed
        self._start_response: Any = None
        self._added: Headers = ()
        self.started = False
        self.answer: Answer | None = None
        """What the client gets in the place of the app's response."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._start_response = start_response
        answer = self._governed.before()
        if answer is not None:
            self._start(answer)
            return _chunks(answer)
        iterable = self._app(environ, self.start_response)
        if self.answer is None and self.started:
            return iterable
        return _Chunks(iterable, self)

    def start_response(self, status: str, headers: Any, *rest: Any, **named: Any) -> Any:
        """Hand on what the app says, with lines added, or what is said in its place."""
        if not self.started:
            self.started = True
            said = self._governed.starting()
            if isinstance(said, Answer):
                self.answer = said
            else:
                self._added = said
        if self.answer is not None:
            self._start(self.answer, *rest, **named)
            return _write_nothing
        if self._added:
            headers = [*(headers or ()), *self._added]
        return self._start_response(status, headers, *rest, **named)

    def _start(self, answer: Answer, *rest: Any, **named: Any) -> None:
        phrase = "Unknown"
        with suppress(ValueError):  # a status that no RFC names
            phrase = HTTPStatus(answer.status).phrase
        self._start_response(f"{answer.status} {phrase}", list(answer.headers), *rest, **named)


def _write_nothing(_data: bytes) -> None:
    """Take what the app writes of a body that nobody gets."""


def _chunks(answer: Answer) -> list[bytes]:
    return [answer.body] if answer.body else []


class _Chunks:
    """The body of an app that starts its response late, or whose response was replaced.

    It closes the app's iterable as the server would: teardowns and background work run.
    """

    __slots__ = ("_call", "_iterable", "_iterator")

    def __init__(self, iterable: Iterable[bytes], call: _Call) -> None:
        self._iterable = iterable
        self._call = call
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> "_Chunks":
        return self

    def __next__(self) -> bytes:
        if self._iterator is not None:
            return next(self._iterator)
        first = b"" if self._call.answer is not None else self._first()
        # An app may start its response as late as with its first chunk.
        answer = self._call.answer
        if answer is None:
            if first is None:
                raise StopIteration
            return first
        self._iterator = iter(_chunks(answer))
        return next(self._iterator)

    def _first(self) -> bytes | None:
        self._iterator = iter(self._iterable)
        return next(self._iterator, None)

    def close(self) -> None:
        """Close the app's iterable where it can be closed."""
        close = getattr(self._iterable, "close", None)
        if close is not None:
            close()
