"""`wsgi.input`: what the app reads of the request body, copied."""

from collections.abc import Iterator
from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.recording import Recording


class InputTee:
    """The server's input stream, with each read copied.

    Everything that is not a way to read is the stream's own. Nothing is read of our own
    accord, so that a body which the app leaves alone stays on the socket.
    """

    def __init__(self, stream: Any, recording: Recording) -> None:
        self._stream = stream
        self._recording = recording

    def read(self, *size: Any, **named: Any) -> bytes:
        """Read as the stream does."""
        data: bytes = self._stream.read(*size, **named)
        most = next(iter((*size, *named.values())), None)
        everything = most is None or most < 0
        self._note(data, at_end=everything or (not data and most != 0))
        return data

    def readline(self, *size: Any, **named: Any) -> bytes:
        """Read a line as the stream does."""
        data: bytes = self._stream.readline(*size, **named)
        self._note(data, at_end=False)
        return data

    def readlines(self, *hint: Any, **named: Any) -> list[bytes]:
        """Read lines as the stream does."""
        lines: list[bytes] = self._stream.readlines(*hint, **named)
        for line in lines:
            self._note(line, at_end=False)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self._note(line, at_end=False)
            yield line

    def __next__(self) -> bytes:
        line: bytes = next(self._stream)
        self._note(line, at_end=False)
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _note(self, data: bytes | memoryview, *, at_end: bool) -> None:
        recording = self._recording
        if recording.settled:
            return
        try:
            recording.request_body.write(data)
            recording.touch()
            if at_end:
                recording.request_ended = True
        except Exception as error:
            _guard.swallow("wsgi.input", error)


class BufferInputTee(InputTee):
    """The tee of a stream that can also read into a buffer; Werkzeug reads that way."""

    def readinto(self, buffer: Any) -> int | None:
        """Read into a buffer as the stream does."""
        count: int | None = self._stream.readinto(buffer)
        read = memoryview(buffer)[: count or 0]
        self._note(read, at_end=count == 0 and len(buffer) > 0)
        return count


def tee_input(environ: dict[str, Any], recording: Recording) -> None:
    """Put the tee in the place of `wsgi.input`."""
    stream = environ.get("wsgi.input")
    if stream is not None:
        tee = BufferInputTee if hasattr(stream, "readinto") else InputTee
        environ["wsgi.input"] = tee(stream, recording)
