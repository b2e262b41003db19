"""The plain WSGI app: the shared paths, and what only plain WSGI can say."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.frameworks.cases.apps import answers
from tests.frameworks.cases.apps.answers import ANSWERS, Answer, note

Start = Callable[..., Any]
_REASONS = {200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content"}


def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    first, _, rest = path.lstrip("/").partition("/")
    if first == "odd":
        return odd(environ, start_response)
    if first == "handled" or (first == "raise" and rest == "handled"):
        return say(answers.HANDLED, start_response)
    if first == "file":
        return file(environ, start_response)
    if first == "after":
        return After(say(Answer(b"before"), start_response))
    answer = find(environ, first, rest)
    return say(answer or Answer(b"not found", status=404), start_response)


def odd(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Be an app of oddities, wherever it is mounted."""
    return ODD[environ["PATH_INFO"].rpartition("/")[2]](environ, start_response)


def find(environ: dict[str, Any], first: str, rest: str) -> Answer | None:
    """Find the answer of a path that every framework has."""
    stream = environ["wsgi.input"]
    match first:
        case "echo":
            return answers.echoed(read_all(environ), environ.get("CONTENT_TYPE"))
        case "count":
            return answers.counted(sum(map(len, pieces(environ))))
        case "part":
            return answers.counted(len(stream.read(4)))
        case "ignore":
            return answers.IGNORED
        case "refuse":
            return answers.TOO_EARLY
        case "raise":
            answers.raise_(rest)
        case "abort":
            return Answer(b"forbidden", status=403)
        case "api":
            return answers.item(int(rest.rpartition("/")[2]))
    return simple(first, rest)


def simple(first: str, rest: str) -> Answer | None:
    """Find the answer of a path that needs nothing of the request."""
    match first:
        case "text":
            return answers.PLAIN_TEXT
        case "say":
            return ANSWERS.get(rest)
        case "items":
            return answers.item(int(rest))
        case "caller":
            return answers.caller(rest)
        case "health":
            return answers.HEALTHY
        case "reset":
            return Answer(b"reset")
        case "clock":
            return answers.set_clock_back()
    return None


def read_all(environ: dict[str, Any]) -> bytes:
    """Read the body as PEP 3333 and `wsgi.input_terminated` allow."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return stream.read()
    length = environ.get("CONTENT_LENGTH") or "0"
    return stream.read(int(length)) if length.isdecimal() else b""


def pieces(environ: dict[str, Any]) -> Iterator[bytes]:
    """Read the body bit by bit."""
    stream, left = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
    while piece := stream.read(min(left, 65536)):
        left -= len(piece)
        yield piece


def say(answer: Answer, start_response: Start) -> Iterable[bytes]:
    """Give an answer as a WSGI app does."""
    lines = answer.lines
    if answer.chunks is None and answer.status not in {204, 304}:
        lines = [*lines, ("Content-Length", str(len(answer.body)))]
    start_response(f"{answer.status} {_REASONS.get(answer.status, 'Said')}", lines)
    return [answer.body] if answer.chunks is None else answer.chunks()


class After:
    """Works once the response is out, as WSGI's way of background work is."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        answers.background()


def file(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    size = answers.FILE.stat().st_size
    lines = [("Content-Type", "text/plain"), ("Content-Length", str(size)), answers.MARK]
    start_response("200 OK", lines)
    opened = answers.FILE.open("rb")
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(opened) if wrapper else iter(lambda: opened.read(8192), b"")


# -- what only plain WSGI can say ---------------------------------------------------------

HEAD = [("Content-Type", "text/plain"), answers.MARK]


def restarted(_environ: Any, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [*HEAD, ("X-First", "yes")])
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        start_response("500 Oops", HEAD, sys.exc_info())
    return [b"sorry"]


def restarted_late(_environ: Any, start_response: Start) -> Iterator[bytes]:
    start_response("200 OK", HEAD)
    yield b"first"
    try:
        raise ValueError("too late")
    except ValueError:
        start_response("500 Oops", HEAD, sys.exc_info())  # raises it again: headers are out
    yield b"never"


def written(_environ: Any, start_response: Start) -> Iterable[bytes]:
    write = start_response("200 OK", HEAD)
    write(b"one ")
    note("between writes")
    write(b"two")
    return [b" three"]


def written_alone(_environ: Any, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", HEAD)(b"written")
    return []


class Body:
    """An iterable without `close`."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)


class Closing(Body):
    """One that notes its close, and may raise in it."""

    def __init__(self, *chunks: bytes, error: Exception | None = None) -> None:
        super().__init__(*chunks)
        self.error = error

    def close(self) -> None:
        note("close")
        if self.error is not None:
            raise self.error


def raising_in_close(_environ: Any, start_response: Start) -> Iterator[bytes]:
    start_response("200 OK", HEAD)
    try:
        yield b"said"
    finally:
        note("close")
        raise KeyError("closing")


def giving(make: Callable[[], Iterable[bytes]], status: str = "200 OK") -> Any:
    def given(_environ: Any, start_response: Start) -> Iterable[bytes]:
        start_response(status, list(HEAD))
        return make()

    return given


def hinted(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    hints = environ.get("wsgi.early_hints")
    if hints is not None:
        hints([("Link", "</style.css>; rel=preload")])
    start_response("200 OK", HEAD)
    return [b"hinted"]


def in_pieces(_environ: Any, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", HEAD)
    return (chunk for chunk in (b"a", b"", b"b"))


def odd_headers(_environ: Any, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [*HEAD, ("X-Caf", "caf\xe9"), ("X-Empty", ""), ("X_Under", "1")])
    return [b"odd"]


def own_file(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [*HEAD, ("Content-Length", "6")])
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(io.BytesIO(b"memory")) if wrapper else [b"memory"]


ODD: dict[str, Any] = {
    "restarted": restarted,
    "restarted-late": restarted_late,
    "written": written,
    "written-alone": written_alone,
    "hints": hinted,
    "pieces": in_pieces,
    "headers": odd_headers,
    "memory-file": own_file,
    "bad-close": giving(lambda: Closing(b"said", error=KeyError("closing"))),
    "bad-finally": raising_in_close,
    "close": giving(lambda: Closing(b"a", b"b")),
    "no-close": giving(lambda: Body(b"a", b"b")),
    "nothing": giving(list),
    "one": giving(lambda: [b"one"]),
    "tuple": giving(lambda: (b"one",)),
    "empties": giving(lambda: [b"", b"a", b""]),
    "no-reason": giving(lambda: [b"x"], "200 "),
    "no-content-with-body": giving(lambda: [b"ignored"], "204 No Content"),
    "not-modified-with-body": giving(lambda: [b"ignored"], "304 Not Modified"),
}
