"""The iterable that a WSGI app returns, seen chunk by chunk (PEP 3333)."""

import sys
from collections.abc import Callable, Iterable, Iterator
from types import BuiltinFunctionType
from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.frameworks.headers import declared_length
from otel_apimetrics.frameworks.stand_in import StandIn, own, stand_in
from otel_apimetrics.frameworks.wsgi_chunks import (
    close_response,
    note_chunk,
    note_failure,
    throw_away,
)
from otel_apimetrics.frameworks.wsgi_sequence import tee_sequence
from otel_apimetrics.open_requests import outside
from otel_apimetrics.recording import Recording
from otel_apimetrics.snapshot import CLIENT_DISCONNECT


class ResponseTee(StandIn):
    """The app's iterable, seen chunk by chunk.

    A class and not a generator: a generator never runs its `finally` where the server
    calls `close` before the first `next`, and it has no length (a server sets
    Content-Length from an iterable of length one). Servers may iterate in another thread,
    may not iterate at all, and may never call `close`: the record is made all the same.
    In all else it is what the app returned: Django's handler returns its response.
    """

    __slots__ = ("_apimetrics_recording",)

    _apimetrics_recording: Recording

    def __iter__(self) -> Iterator[bytes]:
        return _Chunks(self)

    def close(self) -> None:
        """Close the app's iterable where it can be closed, and make the record."""
        close_response(self._apimetrics_recording, self._apimetrics_for)

    def __del__(self, is_process_over: Callable[[], bool] = sys.is_finalizing) -> None:
        recording = getattr(self, "_apimetrics_recording", None)
        # Not there: interrupted in its making. When the process is over the record is made, and
        # modules may be gone; hence the argument.
        if recording is not None and not is_process_over():
            throw_away(recording)


class IteratorResponseTee(ResponseTee):
    """The tee of an iterable that is an iterator."""

    __slots__ = ("_apimetrics_iterator",)

    _apimetrics_iterator: Iterator[bytes] | None

    def __iter__(self) -> Iterator[bytes]:
        own(self, "_apimetrics_iterator", None)
        return self

    def __next__(self) -> bytes:
        chunk: bytes
        iterator, recording = self._apimetrics_iterator, self._apimetrics_recording
        if iterator is None:
            iterator, chunk = _watched(recording, _begin, self._apimetrics_for)
            own(self, "_apimetrics_iterator", iterator)
        else:
            chunk = _watched(recording, next, iterator)
        note_chunk(recording, chunk)
        return chunk


class _Chunks:
    """One iteration over an iterable."""

    __slots__ = ("_iterator", "_tee")

    def __init__(self, tee: ResponseTee) -> None:
        self._tee = tee  # kept: the record is made when it is thrown away
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> "_Chunks":
        return self

    def __next__(self) -> bytes:
        chunk: bytes
        iterator, recording = self._iterator, self._tee._apimetrics_recording  # noqa: SLF001
        if iterator is None:
            iterable = self._tee._apimetrics_for  # noqa: SLF001
            self._iterator, chunk = _watched(recording, _begin, iterable)
        else:
            chunk = _watched(recording, next, iterator)
        note_chunk(recording, chunk)
        return chunk


def _begin(iterable: Iterable[bytes]) -> tuple[Iterator[bytes], bytes]:
    # At once: what is current is set once for both.
    iterator = iter(iterable)
    return iterator, next(iterator)


def _watched(recording: Recording, ask: Callable[[Any], Any], whom: Any) -> Any:
    """Ask the app's iterable; what it raises passes through, after the record is made."""
    before = outside()
    try:
        try:
            recording.enter()
            return ask(whom)
        finally:
            recording.leave(before)
    except StopIteration:
        recording.response_ended = True
        recording.end()
        raise
    except BaseException as error:
        recording.leave(before)  # again: a signal handler may have raised in it
        note_failure(recording, error)
        recording.end()
        raise


def tee_response(
    iterable: Iterable[bytes], recording: Recording, environ: dict[str, Any]
) -> Iterable[bytes]:
    """Wrap what the app returned, or hook it where only the object itself will do."""
    try:
        if _is_file(iterable, environ):
            return _hook_close(iterable, recording)
    except Exception as error:
        _guard.swallow("wsgi.tee", error)
    returned: Any = iterable
    if type(returned) in (list, tuple):
        return tee_sequence(returned, recording)
    if returned is None or type(returned) is bytes:
        # The first is the server's to refuse; uWSGI sends the second as it is.
        note_chunk(recording, returned or b"")
        recording.response_ended = returned is not None
        recording.end()
        return iterable
    return _tee_iterable(iterable, recording)


def _tee_iterable(iterable: Any, recording: Recording) -> Iterable[bytes]:
    kind = IteratorResponseTee if hasattr(type(iterable), "__next__") else ResponseTee
    try:
        tee = stand_in(kind, iterable)
    except Exception as error:
        _guard.swallow("wsgi.stand_in", error)
        tee = kind()
        own(tee, "_apimetrics_for", iterable)
    own(tee, "_apimetrics_recording", recording)
    if kind is IteratorResponseTee:
        own(tee, "_apimetrics_iterator", iterable)
    return tee


def _is_file(iterable: Iterable[bytes], environ: dict[str, Any]) -> bool:
    """Tell the server's own file object, which it knows by identity and sends by sendfile.

    uWSGI's wrapper is a function that gives back the app's file itself, and notes it.
    """
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(wrapper, type):
        return isinstance(iterable, wrapper)
    return isinstance(wrapper, BuiltinFunctionType) and hasattr(iterable, "read")


def _hook_close(iterable: Iterable[bytes], recording: Recording) -> Iterable[bytes]:
    """Return the server's file object itself; its `close` makes the record."""
    recording.size_told = declared_length(recording.response_headers)
    close = getattr(iterable, "close", None)

    def closed() -> None:
        try:
            if close is not None:
                close()
        finally:
            if isinstance(sys.exc_info()[1], OSError):
                recording.error = CLIENT_DISCONNECT
            else:
                recording.response_ended = True
            recording.end()

    try:
        iterable.close = closed  # type: ignore[attr-defined]
    except AttributeError:
        # The object takes no attribute: the last moment that we see is this one.
        recording.response_ended = True
        recording.end()
    return iterable
