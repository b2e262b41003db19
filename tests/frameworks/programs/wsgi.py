"""Programs of WSGI apps, the requests that they are given and the servers that call them."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Step = tuple[Any, ...]
Log = list[tuple[Any, ...]]

_HEADERS = st.lists(
    st.sampled_from(
        [
            ("Content-Type", "application/json"),
            ("Content-Type", "text/plain; charset=latin-1"),
            ("Content-Encoding", "gzip"),
            ("Content-Length", "3"),
            ("Content-Length", "many"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("X-Caf", "caf\xe9"),
            ("", ""),
        ]
    ),
    max_size=4,
)
STATUS = st.sampled_from([100, 103, 200, 200, 200, 204, 206, 304, 404, 422, 500, 503])
_LINES = st.builds("{} {}".format, STATUS, st.sampled_from(["OK", "", "So So"]))
DATA = st.sampled_from([b"", b"a", b'{"password": "hunter2"}', b"\xff\xfe", b"x" * 40])
ERRORS = st.sampled_from(["ValueError", "SystemExit", "OSError", "GeneratorExit", "KeyError"])

_STEPS = st.one_of(
    st.tuples(st.just("start"), _LINES, _HEADERS),
    st.tuples(st.just("restart"), _LINES, _HEADERS),
    st.tuples(st.just("write"), DATA),
    st.tuples(st.just("read"), st.sampled_from([(), (0,), (3,), (100,)])),
    st.tuples(st.just("readline"), st.sampled_from([(), (2,)])),
    st.tuples(st.just("readinto"), st.sampled_from([0, 5])),
    st.tuples(st.just("hints")),
    st.tuples(st.just("raise"), ERRORS),
)
_BODY = st.one_of(
    st.tuples(st.just("yield"), DATA),
    st.tuples(st.just("yield"), DATA),
    st.tuples(st.just("yield"), DATA),
    _STEPS,
)
SHAPES = ("list", "tuple", "generator", "lazy", "iterator", "closing", "file", "file function")


@dataclass(frozen=True)
class Program:
    """An app: what it does before it returns, what it returns, and what happens in there."""

    before: list[Step]
    body: list[Step]
    shape: str
    close_error: str | None


@dataclass(frozen=True)
class Call:
    """A request and a server."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]
    items: int | None
    """Chunks after which the client is gone; `None`: never."""
    closes: int
    """How often the server calls `close`; PEP 3333 says once."""
    in_thread: bool
    """The body is iterated in another thread than the app was called in."""


_STARTS = st.tuples(st.just("start"), _LINES, _HEADERS)
PROGRAMS = st.builds(
    Program,
    before=st.builds(
        lambda first, steps: [*first, *steps],
        st.one_of(st.lists(_STARTS, min_size=1, max_size=1), st.just([])),
        st.lists(_STEPS, max_size=4),
    ),
    body=st.lists(_BODY, max_size=6),
    shape=st.sampled_from(SHAPES),
    close_error=st.none() | st.none() | ERRORS,
)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "BREW"])
PATHS = st.sampled_from(["/", "/a/b", "/excluded", "/caf\xe9"])
BODIES = st.sampled_from([b"", b"a\nbc\n", b'{"password": "hunter2"}', b"\x00\xff" * 30])
CALLS = st.builds(
    Call,
    method=METHODS,
    path=PATHS,
    body=BODIES,
    headers=st.dictionaries(
        st.sampled_from(["HTTP_EXPECT", "HTTP_X_CLIENT", "CONTENT_TYPE", "HTTP_TRANSFER_ENCODING"]),
        st.sampled_from(["100-continue", "acme", "application/json", "chunked", "\xff"]),
    ),
    items=st.none() | st.none() | st.integers(0, 3),
    closes=st.sampled_from([1, 1, 1, 0, 2]),
    in_thread=st.booleans(),
)


def error_of(name: str) -> BaseException:
    """Make the error that a step raises."""
    kinds: dict[str, type[BaseException]] = {
        "ValueError": ValueError,
        "SystemExit": SystemExit,
        "OSError": OSError,
        "GeneratorExit": GeneratorExit,
        "KeyError": KeyError,
    }
    return kinds[name](f"{name} of the app")


class _Interpreter:
    """One call of a program."""

    def __init__(
        self, program: Program, environ: dict[str, Any], start: Callable[..., Any], log: Log
    ) -> None:
        self.program, self.environ, self.log = program, environ, log
        self._start = start
        self._write: Any = None

    def do(self, step: Step) -> None:
        """Do a step that yields nothing. What the server raises passes on."""
        kind, *arguments = step
        if kind == "raise":
            raise error_of(arguments[0])
        got = getattr(self, f"_do_{kind}")(*arguments)
        self.log.append(("app", kind, got))

    def _do_start(self, line: str, headers: list[tuple[str, str]]) -> str:
        self._write = self._start(line, list(headers))
        return type(self._write).__name__ if self._write is None else "callable"

    def _do_restart(self, line: str, headers: list[tuple[str, str]]) -> None:
        try:
            raise ValueError("caught by the app")
        except ValueError:
            self._write = self._start(line, list(headers), sys.exc_info())

    def _do_write(self, data: bytes) -> Any:
        return None if self._write is None else self._write(data)

    def _do_read(self, arguments: tuple[int, ...]) -> bytes:
        return self.environ["wsgi.input"].read(*arguments)

    def _do_readline(self, arguments: tuple[int, ...]) -> bytes:
        return self.environ["wsgi.input"].readline(*arguments)

    def _do_readinto(self, size: int) -> tuple[Any, bytes]:
        buffer = bytearray(size)
        return self.environ["wsgi.input"].readinto(buffer), bytes(buffer)

    def _do_hints(self) -> None:
        self.environ["wsgi.early_hints"]([("Link", "</s.css>")])

    def stream(self) -> Iterator[bytes]:
        """Do the steps of the body, and let the chunks out."""
        try:
            for step in self.program.body:
                if step[0] == "yield":
                    yield step[1]
                else:
                    self.do(step)
        finally:
            self.log.append(("app", "stream ends"))
            if self.program.close_error is not None:
                raise error_of(self.program.close_error)

    def chunks(self) -> list[bytes]:
        """Give the body of shapes that are no generators: only its chunks."""
        return [step[1] for step in self.program.body if step[0] == "yield"]


class _Iterator:
    """An iterator that has no `close`."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)

    def __iter__(self) -> _Iterator:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)


class _Closing:
    """An iterable with a `close` that may raise."""

    def __init__(self, interpreter: _Interpreter) -> None:
        self._of = interpreter

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._of.chunks())

    def close(self) -> None:
        self._of.log.append(("app", "close"))
        if self._of.program.close_error is not None:
            raise error_of(self._of.program.close_error)


class FileWrapper:
    """The server's own file object."""

    def __init__(self, file: Any, size: int = 8) -> None:
        self.file, self.size = file, size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.size), b"")

    def close(self) -> None:
        self.file.close()


def app_of(program: Program, log: Log) -> Any:
    """Make the WSGI app of a program."""

    def lazy(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        interpreter = _Interpreter(program, environ, start_response, log)
        for step in program.before:
            interpreter.do(step)
        yield from interpreter.stream()

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        interpreter = _Interpreter(program, environ, start_response, log)
        for step in program.before:
            interpreter.do(step)
        return _returned(interpreter)

    return lazy if program.shape == "lazy" else app


def _returned(interpreter: _Interpreter) -> Any:
    chunks = interpreter.chunks()
    match interpreter.program.shape:
        case "list":
            return chunks
        case "tuple":
            return tuple(chunks)
        case "iterator":
            return _Iterator(chunks)
        case "closing":
            return _Closing(interpreter)
        case "file":
            return FileWrapper(io.BytesIO(b"".join(chunks)))
        case "file function":
            return interpreter.environ["wsgi.file_wrapper"](io.BytesIO(b"".join(chunks)))
    return interpreter.stream()


def serve(app: Any, call: Call, log: Log) -> None:
    """Call an app as a server does, and write down all that it sees."""
    environ = _environ(call, log)
    out = False

    def write(data: bytes) -> str:
        nonlocal out
        out = True
        log.append(("write", data))
        return "written"

    started = False

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Any:
        nonlocal started
        if exc_info and out:
            raise exc_info[1].with_traceback(exc_info[2])
        if started and not exc_info:
            raise AssertionError("started already")
        started = True
        log.append(("start", line, list(headers), exc_info and type(exc_info[1]).__name__))
        return write

    try:
        iterable = app(environ, start_response)
    except BaseException as error:
        log.append(("raised", type(error), str(error)))
        return
    log.append(("length", len(iterable) if hasattr(iterable, "__len__") else None))
    log.append(("file", isinstance(iterable, environ["wsgi.file_wrapper"])))
    work = lambda: _iterate(iterable, call, log)  # noqa: E731
    if call.in_thread:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    else:
        work()


def _iterate(iterable: Any, call: Call, log: Log) -> None:
    try:
        if call.items != 0:
            for taken, chunk in enumerate(iterable, 1):
                log.append(("chunk", chunk))
                if taken == call.items:
                    break
    except BaseException as error:
        log.append(("raised", type(error), str(error)))
    for _ in range(call.closes if hasattr(iterable, "close") else 0):
        try:
            iterable.close()
        except BaseException as error:
            log.append(("raised at close", type(error), str(error)))


def _environ(call: Call, log: Log) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path,
        "QUERY_STRING": "token=hunter2",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "api.example",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.early_hints": lambda headers: log.append(("hints", headers)),
        **call.headers,
    }
    if "HTTP_TRANSFER_ENCODING" in call.headers:
        environ["wsgi.input_terminated"] = True
    elif call.body:
        environ["CONTENT_LENGTH"] = str(len(call.body))
    return environ
