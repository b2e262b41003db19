"""What the apps say, whatever their framework: canned answers, errors, and odd ones by name."""

from __future__ import annotations

import gzip
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from otel_apimetrics import add_label, set_consumer

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

FILE = Path(__file__).with_name("file.txt")
MARK = ("X-App", "cases")
"""On every answer of the apps' own: the server called the app."""
TEXT = "text/plain; charset=utf-8"
EVENTS = tuple(f"data: event {number}\n\n".encode() for number in range(3))

log: list[tuple[str, object]] = []
"""In-process: what the apps did, between what the server saw."""


def note(what: str, value: object = None) -> None:
    """Say in the order of events that the app is here."""
    log.append((f"app {what}", value))


@dataclass(frozen=True)
class Answer:
    """A response, before a framework has made it its own."""

    body: bytes = b""
    content_type: str | None = TEXT
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    chunks: Callable[[], Iterator[bytes]] | None = None
    """Streams in the place of `body`."""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """All header lines but those that a framework makes of the body."""
        lines = [MARK, *self.headers]
        return lines if self.content_type is None else [("Content-Type", self.content_type), *lines]


def events() -> Iterator[bytes]:
    for number, event in enumerate(EVENTS):
        note("made", number)
        yield event


def broken() -> Iterator[bytes]:
    note("made", "first")
    yield b"first"
    raise BrokenStreamError("half-way")


def endless() -> Iterator[bytes]:
    """Long, not endless: a server that never notices shall come to an end all the same."""
    try:
        yield b"first"
        for _ in range(4096):
            yield b"x" * 8192
    finally:
        note("stream closed")


def said_while_streaming() -> Iterator[bytes]:
    yield b"one,"
    set_consumer("streamed")
    yield b"two"


class BrokenStreamError(Exception):
    """Raised while the body is made."""


class HandledError(Exception):
    """The apps have a handler for it, which answers 500."""


class KilledError(BaseException):
    """What a server raises in a worker to get rid of its request."""


PLAIN = b'{"plain": "text"}'
ANSWERS: dict[str, Answer] = {
    "no-content": Answer(status=204, content_type=None),
    "not-modified": Answer(status=304, content_type=None, headers=(("ETag", '"1"'),)),
    "empty": Answer(b""),
    "created": Answer(b"made", status=201, headers=(("Location", "/say/empty"),)),
    "twice": Answer(
        b"two of each",
        headers=(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-A", "1"), ("X-A", "2")),
    ),
    "gzip": Answer(
        gzip.compress(PLAIN, mtime=0), "application/json", headers=(("Content-Encoding", "gzip"),)
    ),
    "stacked": Answer(
        zlib.compress(gzip.compress(PLAIN, mtime=0)),
        "application/json",
        headers=(("Content-Encoding", "gzip, deflate"),),
    ),
    "mislabelled": Answer(PLAIN, "application/json", headers=(("Content-Encoding", "gzip"),)),
    "unknown-coding": Answer(PLAIN, "application/json", headers=(("Content-Encoding", "zopfli"),)),
    "bomb": Answer(
        gzip.compress(b"\0" * 4_000_000, mtime=0), TEXT, headers=(("Content-Encoding", "gzip"),)
    ),
    "latin-1": Answer("café".encode("latin-1"), "text/plain; charset=latin-1"),
    "utf-16": Answer("café".encode("utf-16"), "text/plain; charset=utf-16"),
    "no-utf-8": Answer(b"caf\xe9", TEXT),
    "binary": Answer(b"\x89PNG\r\n\x1a\n\0\xff", "image/png"),
    "untyped": Answer(b'{"a": 1}', None),
    "vendor": Answer(b'{"a": 1}', "application/vnd.api+json"),
    "problem": Answer(b'{"title": "no"}', "application/problem+json", 422),
    "ranges": Answer(
        b"--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/5\r\n\r\nfi\r\n--b--\r\n",
        "multipart/byteranges; boundary=b",
        206,
    ),
    "range": Answer(b"fil", TEXT, 206, (("Content-Range", "bytes 0-2/12"),)),
    "unsatisfiable": Answer(b"", TEXT, 416, (("Content-Range", "bytes */12"),)),
    "failed": Answer(b"we failed", TEXT, 503),
    "huge": Answer(b"y" * 1_000_000, TEXT),
    "events": Answer(content_type="text/event-stream", chunks=events),
    "broken": Answer(chunks=broken),
    "endless": Answer(chunks=endless),
    "streamed": Answer(chunks=said_while_streaming),
    "no-chunk": Answer(chunks=lambda: iter(())),
}


def raise_(name: str) -> None:
    """Raise one of the errors that an app may raise."""
    note("raises", name)
    errors: dict[str, BaseException] = {
        "value": ValueError("password=hunter2"),
        "group": ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
        "handled": HandledError("known"),
        "killed": KilledError("worker"),
        "exit": SystemExit(3),
    }
    raise errors[name]


def echoed(body: bytes, content_type: str | None) -> Answer:
    """Give back what was said, as what it was said to be."""
    note("read", len(body))
    return Answer(body, content_type or None)


def counted(size: int) -> Answer:
    note("counted", size)
    return Answer(str(size).encode())


def item(number: int) -> Answer:
    """Say who called, as an app does that knows it."""
    set_consumer(f"owner-{number}")
    return Answer(f"item {number}".encode())


def caller(name: str) -> Answer:
    """Say who called, from wherever the framework runs this; and give other requests a turn."""
    time.sleep(0)
    set_consumer(name)
    return Answer(name.encode())


def background() -> None:
    """Work after the response: says what belongs to no request any more."""
    set_consumer("late")
    add_label("late", "yes")
    note("background")


@dataclass
class Clock:
    """The wall clock of the process, which somebody may set back."""

    behind_ns: int = 0
    real: Callable[[], int] = field(default=time.time_ns)

    def __call__(self) -> int:
        return self.real() - self.behind_ns


clock = Clock()


def set_clock_back() -> Answer:
    """What NTP does to a machine whose clock was an hour ahead, while a request runs."""
    clock.behind_ns += 3_600_000_000_000
    return Answer(b"what time is it?")


def shown(value: object) -> Answer:
    """Give something as JSON."""
    return Answer(json.dumps(value).encode(), "application/json")


TOO_EARLY = Answer(b"no", TEXT, 401, (("WWW-Authenticate", "Basic"),))
IGNORED = Answer(b"ignored")
PLAIN_TEXT = Answer(b"plain text")
HEALTHY = Answer(b"ok")
HANDLED = Answer(b"handled", status=500)
