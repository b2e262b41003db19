"""`wsgi.input`: what the app reads of the request body, copied."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import index
from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.frameworks.stand_in import StandIn, own, stand_in
from otel_apimetrics.recording import Recording


class InputTee(StandIn):
    """The server's input stream, with each read copied.

    Everything that is not a way to read is the stream's own. Nothing is read of our own
    accord, so that a body which the app leaves alone stays on the socket.
    """

    __slots__ = ("_apimetrics_behind", "_apimetrics_recording")

    _apimetrics_behind: int | None
    """Bytes before the furthest that was read, once the app has gone back; `None`: it skipped
    some, and what it reads does not follow on what was copied."""
    _apimetrics_recording: Recording

    def __getattr__(self, name: str) -> Any:
        value = StandIn.__getattr__(self, name)
        copying = _COPYING.get(name)
        return value if copying is None else partial(copying, self, value)

    def __iter__(self) -> Iterator[bytes]:
        stream = self._apimetrics_for
        lines = iter(stream)
        return self if lines is stream else _Lines(self, lines)


class IteratorInputTee(InputTee):
    """The tee of a stream that is an iterator of its lines, as files are."""

    __slots__ = ()

    def __next__(self) -> bytes:
        return _next_line(self, self._apimetrics_for)


class _Lines:
    """An iteration over the lines of a stream."""

    __slots__ = ("_lines", "_tee")

    def __init__(self, tee: InputTee, lines: Iterator[bytes]) -> None:
        self._tee = tee
        self._lines = lines

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> bytes:
        return _next_line(self._tee, self._lines)


def _next_line(tee: InputTee, lines: Iterator[bytes]) -> bytes:
    try:
        line = next(lines)
    except StopIteration:
        _note(tee, b"", at_end=True)
        raise
    _note(tee, line, at_end=False)
    return line


# Each is given the tee, the stream's own method and what the app calls it with.


def _read(tee: InputTee, read: Callable[..., Any], *size: Any, **named: Any) -> Any:
    data = read(*size, **named)
    most = next(iter((*size, *named.values())), None)
    _note(tee, data, at_end=_is_everything(most) or _is_end(data, most))
    return data


def _read_some(tee: InputTee, read: Callable[..., Any], *size: Any, **named: Any) -> Any:
    data = read(*size, **named)
    _note(tee, data, at_end=_is_end(data, next(iter((*size, *named.values())), None)))
    return data


def _read_lines(tee: InputTee, read: Callable[..., Any], *hint: Any, **named: Any) -> Any:
    lines = read(*hint, **named)
    if isinstance(lines, list):
        for line in lines:
            _note(tee, line, at_end=False)
        most = next(iter((*hint, *named.values())), None)
        _note(tee, None, at_end=not lines or _is_everything(most))
    return lines


def _read_into(tee: InputTee, read: Callable[..., Any], *buffer: Any, **named: Any) -> Any:
    count = read(*buffer, **named)
    try:
        view = memoryview(*buffer, *named.values())
        # A buffer's items need not be bytes, nor in one row.
        in_bytes = view.ndim == 1 and view.itemsize == 1
        filled = (view if in_bytes else view.tobytes())[: count or 0]
        at_end = count == 0 and view.nbytes > 0
    except Exception as error:
        _guard.swallow("wsgi.input", error)
    else:
        _note(tee, filled, at_end=at_end)
    return count


def _seek(tee: InputTee, seek: Callable[..., Any], *where: Any, **named: Any) -> Any:
    before = _position(tee)
    answer = seek(*where, **named)
    after, behind = _position(tee), tee._apimetrics_behind  # noqa: SLF001
    if before is None or after is None or behind is None or behind + before < after:
        own(tee, "_apimetrics_behind", None)
    else:
        own(tee, "_apimetrics_behind", behind + before - after)
    return answer


def _position(tee: InputTee) -> int | None:
    try:
        return int(tee._apimetrics_for.tell())  # noqa: SLF001
    except Exception:  # one that cannot tell: an error of the stream's, not of ours
        return None


_COPYING: dict[str, Callable[..., Any]] = {
    "read": _read,
    "read1": _read_some,
    "readall": _read,
    "readinto": _read_into,
    "readinto1": _read_into,
    "readline": _read_some,
    "readlines": _read_lines,
    "seek": _seek,
}


def _is_everything(most: Any) -> bool:
    try:
        return most is None or index(most) < 0
    except TypeError:  # the stream knows what it means
        return False


def _is_end(data: Any, most: Any) -> bool:
    """Tell whether a read that gave nothing has met the end; `None` means not yet."""
    return data is not None and not data and most != 0


def _note(tee: InputTee, data: bytes | memoryview | None, *, at_end: bool) -> None:
    recording = tee._apimetrics_recording  # noqa: SLF001
    if recording.settled:
        return
    try:
        if data:
            if tee._apimetrics_behind != 0:  # noqa: SLF001
                data = _unseen(tee, data)
            recording.request_body.write(data)
            if data:
                recording.request_ended = False
        recording.touch()
        if at_end and tee._apimetrics_behind is not None:  # noqa: SLF001
            recording.request_ended = True
    except Exception as error:
        _guard.swallow("wsgi.input", error)


def _unseen(tee: InputTee, data: bytes | memoryview) -> bytes | memoryview:
    """Give what was not read before the app went back in its stream."""
    behind = tee._apimetrics_behind  # noqa: SLF001
    if behind is None:
        return b""
    own(tee, "_apimetrics_behind", max(behind - len(data), 0))
    return data[behind:]


def tee_input(environ: dict[str, Any], recording: Recording) -> None:
    """Put the tee in the place of `wsgi.input`."""
    stream = environ.get("wsgi.input")
    if stream is None:
        return
    if issubclass(type(stream), InputTee):  # of an earlier serving
        stream = stream._apimetrics_for  # noqa: SLF001
    kind = IteratorInputTee if hasattr(type(stream), "__next__") else InputTee
    tee = stand_in(kind, stream)
    own(tee, "_apimetrics_behind", 0)
    own(tee, "_apimetrics_recording", recording)
    environ["wsgi.input"] = tee


def hand_over(environ: dict[str, Any], first: Recording, second: Recording) -> bool:
    """Have what is read from now on copied to the second recording, behind what was read.

    False: the stream is another one, or was never copied.
    """
    stream = environ.get("wsgi.input")
    if not issubclass(type(stream), InputTee):
        first.request_body.clear()
        return False
    second.request_body, second.request_ended = first.request_body, first.request_ended
    own(stream, "_apimetrics_recording", second)
    return True
