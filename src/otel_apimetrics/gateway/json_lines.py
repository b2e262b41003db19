"""Writes OTLP/JSON requests to a file, one a line, as the Collector's file exporter does."""

import json
from threading import Lock
from typing import Protocol

from otel_apimetrics.gateway.otlp_json import OtlpJson, Signal

_LINE_ENDS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
"""What JSON lets stand in a string, and `str.splitlines` takes for the end of a line."""


class Stream(Protocol):
    """A binary file; `open(path, "ab", buffering=0)` gives one that hides no failed write."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some of `data` and return how many bytes were taken."""
        ...

    def flush(self) -> None:
        """Hand on what was written."""
        ...


class JsonLines:
    """A sink for `Receiver`: thread-safe, and flushed after each line.

    A line is whole or its request fails: after a failed write the next line starts on a
    line of its own, so that one torn line is all that a full disk leaves behind.

    Args:
        stream: where the lines go; it stays open.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._lock = Lock()
        self._torn = False

    def __call__(self, _signal: Signal, request: OtlpJson, /) -> None:
        """Write one request.

        Args:
            request: as `otlp_json` reads it; UTF-8 on the file.

        Raises:
            OSError: the stream took none or only a part of the line.
        """
        line = json.dumps(request, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = line.translate(_LINE_ENDS).encode() + b"\n"
        with self._lock:
            if self._torn:
                data = b"\n" + data
            self._torn = True
            self._write(memoryview(data))
            self._stream.flush()
            self._torn = False

    def _write(self, data: memoryview) -> None:
        while data:
            written = self._stream.write(data)
            if not written:
                raise BlockingIOError("the stream takes no more bytes")
            data = data[written:]
