"""The iterable that a WSGI app returns, seen chunk by chunk (PEP 3333)."""

import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType
from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.frameworks.headers import declared_length
from otel_apimetrics.recording import Recording
from otel_apimetrics.snapshot import CLIENT_DISCONNECT


class ResponseTee:
    """The app's iterable, seen chunk by chunk.

    A class and not a generator: a generator never runs its `finally` where the server
    calls `close` before the first `next`, and it has no length (a server sets
    Content-Length from an iterable of length one). Servers may iterate in another thread,
    may not iterate at all, and may never call `close`: the record is made all the same.
    """

    __slots__ = ("_iterable", "_iterator", "_recording")

    def __init__(self, iterable: Iterable[bytes], recording: Recording) -> None:
        self._iterable = iterable
        self._recording = recording
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> "ResponseTee":
        return self

    def __next__(self) -> bytes:
        recording = self._recording
        before = recording.enter()
        try:
            if self._iterator is None:
                self._iterator = iter(self._iterable)
            chunk = next(self._iterator)
        except StopIteration:
            recording.leave(before)
            recording.response_ended = True
            recording.end()
            raise
        except BaseException as error:
            recording.leave(before)
            note_failure(recording, error)
            recording.end()
            raise
        recording.leave(before)
        note_chunk(recording, chunk)
        return chunk

    def close(self) -> None:
        """Close the app's iterable where it can be closed, and make the record."""
        recording = self._recording
        before = recording.enter()
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            recording.leave(before)
            note_failure(recording, error)
            recording.end()
            raise
        recording.leave(before)
        _note_early_end(recording)
        recording.end()

    def again(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Go on with these chunks, from the first one; plainly once the record is made."""
        if self._recording.settled:
            return chunks
        self._iterator = chunks
        return self

    def __bytes__(self) -> bytes:
        return bytes(self._iterable)  # type: ignore[arg-type]  # whatever it makes of this

    def __getattr__(self, name: str) -> Any:
        """Be the app's iterable in all else: Django's handler returns its response."""
        if name.startswith("_"):  # our own, not set yet
            raise AttributeError(name)
        return getattr(self._iterable, name)

    def __del__(self) -> None:
        _note_early_end(self._recording)
        # Thrown away before its end: whoever is outside may have been so too.
        self._recording.end(outside=not self._recording.response_ended)


class SizedResponseTee(ResponseTee):
    """The tee of an iterable that knows its length."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]


class ListResponseTee(list[bytes]):
    """The tee of a list: a list too, which a middleware may change and read more than once.

    Granian joins a list, and streams all else.
    """

    __slots__ = ("_tee",)

    def __init__(self, chunks: list[bytes], recording: Recording) -> None:
        super().__init__(chunks)
        self._tee = ResponseTee((), recording)

    def __iter__(self) -> Iterator[bytes]:
        return self._tee.again(super().__iter__())

    def close(self) -> None:
        """Make the record."""
        self._tee.close()


class TupleResponseTee(tuple[bytes, ...]):  # noqa: SLOT001  a tuple has no room for slots
    """The tee of a tuple: a tuple too."""

    _tee: ResponseTee

    def __iter__(self) -> Iterator[bytes]:
        return self._tee.again(super().__iter__())

    def close(self) -> None:
        """Make the record."""
        self._tee.close()


def _tee_sequence(chunks: list[bytes] | tuple[bytes, ...], recording: Recording) -> Iterable[bytes]:
    if isinstance(chunks, list):
        return ListResponseTee(chunks, recording)
    made = TupleResponseTee(chunks)
    made._tee = ResponseTee((), recording)  # noqa: SLF001  a tuple is made before it is initialised
    return made


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
        return _tee_sequence(returned, recording)
    if returned is None or type(returned) is bytes:
        # The first is the server's to refuse; uWSGI sends the second as it is.
        note_chunk(recording, returned or b"")
        recording.response_ended = returned is not None
        recording.end()
        return iterable
    sized = hasattr(type(iterable), "__len__")
    return (SizedResponseTee if sized else ResponseTee)(iterable, recording)


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


def note_chunk(recording: Recording, chunk: Any) -> None:
    """Copy a chunk that goes out."""
    try:
        recording.response_body.write(chunk)
        recording.touch()
    except Exception as error:
        _guard.swallow("wsgi.chunk", error)


def _note_early_end(recording: Recording) -> None:
    """Note that the server stopped before the app had said everything."""
    if recording.settled or recording.response_ended or recording.error is not None:
        return
    told = 0 if recording.is_bodiless() else declared_length(recording.response_headers)
    if told is None or recording.response_body.size < told:
        recording.error = CLIENT_DISCONNECT
    else:
        recording.response_ended = True


def note_failure(recording: Recording, error: BaseException) -> None:
    """Note what the app raised."""
    try:
        if isinstance(error, GeneratorExit):
            _note_early_end(recording)
        else:
            recording.note_failure(error)
    except Exception as ours:
        _guard.swallow("wsgi.failure", ours)
