"""The list or tuple that a WSGI app returns, seen item by item: a list or tuple too."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from otel_apimetrics.frameworks.wsgi_chunks import close_response, note_chunk, throw_away
from otel_apimetrics.recording import Recording


class _End:
    """The end of a sequence's recording, however it comes."""

    __slots__ = ("recording",)

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __del__(self, is_process_over: Callable[[], bool] = sys.is_finalizing) -> None:
        # See `ResponseTee.__del__`.
        if hasattr(self, "recording") and not is_process_over():
            throw_away(self.recording)


class _Items:
    """One iteration over a sequence, which runs nothing of the app."""

    __slots__ = ("_end", "_items")

    def __init__(self, end: _End, items: Iterator[bytes]) -> None:
        self._end = end  # kept: the record is made when it is thrown away
        self._items = items

    def __iter__(self) -> "_Items":
        return self

    def __next__(self) -> bytes:
        recording = self._end.recording
        try:
            chunk = next(self._items)
        except StopIteration:
            recording.response_ended = True
            recording.end()
            raise
        note_chunk(recording, chunk)
        return chunk


class ListResponseTee(list[bytes]):
    """The tee of a list: a list too, which a middleware may change and read more than once.

    Granian joins a list, and streams all else.
    """

    __slots__ = ("_end",)

    def __init__(self, chunks: list[bytes], recording: Recording) -> None:
        super().__init__(chunks)
        self._end = _End(recording)

    def __iter__(self) -> Iterator[bytes]:
        items = super().__iter__()
        return items if self._end.recording.settled else _Items(self._end, items)

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return list, (self.copy(),)

    def close(self) -> None:
        """Make the record."""
        close_response(self._end.recording, None)


class TupleResponseTee(tuple[bytes, ...]):  # noqa: SLOT001  a tuple has no room for slots
    """The tee of a tuple: a tuple too."""

    _end: _End

    def __iter__(self) -> Iterator[bytes]:
        items = super().__iter__()
        return items if self._end.recording.settled else _Items(self._end, items)

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return tuple, (self[:],)

    def close(self) -> None:
        """Make the record."""
        close_response(self._end.recording, None)


def tee_sequence(chunks: list[bytes] | tuple[bytes, ...], recording: Recording) -> Iterable[bytes]:
    """Make the tee of a list or tuple."""
    if isinstance(chunks, list):
        return ListResponseTee(chunks, recording)
    made = TupleResponseTee(chunks)
    made._end = _End(recording)  # noqa: SLF001  a tuple is made before it is initialised
    return made
