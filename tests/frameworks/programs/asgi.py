"""Programs of ASGI apps, and the servers that call them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.frameworks.programs.wsgi import BODIES, DATA, METHODS, PATHS, STATUS, Log, error_of

Step = tuple[Any, ...]

_HEADERS = st.lists(
    st.sampled_from(
        [
            (b"content-type", b"application/json"),
            (b"content-encoding", b"gzip"),
            (b"content-length", b"3"),
            (b"Set-Cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
            (b"x-caf", b"caf\xe9"),
            (b"", b""),
        ]
    ),
    max_size=3,
)
_ERRORS = st.sampled_from(["ValueError", "OSError", "KeyError", "CancelledError"])


def _message(kind: str, **fields: Any) -> Any:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


_START = st.builds(
    lambda message, iterator: ("send", message, iterator),
    _message("http.response.start", status=STATUS, headers=_HEADERS, trailers=st.booleans()),
    st.booleans(),
)
_SENDS = st.builds(
    lambda message: ("send", message, False),
    st.one_of(
        _message("http.response.body", body=DATA, more_body=st.just(True)),
        _message("http.response.body", body=DATA, more_body=st.booleans()),
        _message("http.response.body"),
        _message("http.response.trailers", headers=_HEADERS, more_trailers=st.booleans()),
        _message("http.response.pathsend", path=st.just("/tmp/file")),
        _message("http.response.zerocopysend", file=st.just(3), more_body=st.booleans()),
        _message("http.response.early_hint", links=st.just([b"</s.css>"])),
        _message("http.response.push", path=st.just("/s.css"), headers=_HEADERS),
        _message("http.response.debug", info=st.just({})),
    ),
)
_OTHERS = st.one_of(
    st.just(("receive",)),
    st.just(("receive",)),
    st.just(("sleep",)),
    st.just(("listen",)),
    st.just(("work later",)),
    st.tuples(st.just("raise"), _ERRORS),
)
_FURTHER = st.lists(st.one_of(_SENDS, _SENDS, _START, _OTHERS), max_size=7)
PROGRAMS = st.builds(
    lambda first, start, rest: [*first, *start, *rest],
    st.lists(_OTHERS, max_size=2),
    st.lists(_START, max_size=1),
    _FURTHER,
)


@dataclass(frozen=True)
class Call:
    """A request and a server."""

    method: str
    path: str
    pieces: list[bytes]
    gone_after_sends: int | None
    """The client is gone after so many messages; `send` raises from then on."""
    gone_after_receives: int | None
    """The client is gone in mid-request: `receive` says so."""
    cancels_after: int | None
    """The server cancels the app at that call of `receive` or `send`."""
    checks: bool
    """The server raises at messages out of order."""
    http_version: str


EASY = Call(
    method="GET",
    path="/",
    pieces=[b""],
    gone_after_sends=None,
    gone_after_receives=None,
    cancels_after=None,
    checks=False,
    http_version="1.1",
)
"""A client that stays and a server that takes everything."""
CALLS = st.builds(
    Call,
    method=METHODS,
    path=PATHS,
    pieces=st.lists(BODIES, min_size=1, max_size=3),
    gone_after_sends=st.none() | st.none() | st.integers(0, 3),
    gone_after_receives=st.none() | st.none() | st.integers(0, 2),
    cancels_after=st.none() | st.none() | st.integers(1, 4),
    checks=st.booleans(),
    http_version=st.sampled_from(["1.0", "1.1", "2", "3"]),
)


def app_of(program: list[Step], log: Log) -> Any:
    """Make the ASGI app of a program."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tasks = []
        try:
            for kind, *arguments in program:
                if kind == "receive":
                    log.append(("app got", await receive()))
                elif kind == "send":
                    await _send(send, *arguments)
                    log.append(("app sent", arguments[0]["type"]))
                elif kind == "sleep":
                    await asyncio.sleep(0)
                elif kind == "listen":
                    tasks.append(asyncio.ensure_future(receive()))
                elif kind == "work later":
                    tasks.append(asyncio.ensure_future(_later(log)))
                elif arguments[0] == "CancelledError":
                    raise asyncio.CancelledError
                else:
                    raise error_of(arguments[0])
        finally:
            log.append(("app ends",))
            for task in tasks:
                task.cancel()

    return app


async def _later(log: Log) -> None:
    await asyncio.sleep(0)
    log.append(("worked",))


async def _send(send: Any, message: dict[str, Any], iterator: bool) -> None:
    message = dict(message)
    if iterator:
        message["headers"] = iter(message["headers"])
    await send(message)


class _Server:
    """The two channels of a call."""

    def __init__(self, call: Call, log: Log) -> None:
        self.call, self.log = call, log
        self.over = asyncio.Event()
        self.task: Any = None
        self._sends = self._receives = self._calls = 0
        self._started = False

    def _step(self) -> None:
        self._calls += 1
        if self._calls == self.call.cancels_after:
            self.task.cancel()

    async def receive(self) -> dict[str, Any]:
        self.log.append(("receive", self._receives))
        self._step()
        await asyncio.sleep(0)
        number, pieces = self._receives, self.call.pieces
        self._receives += 1
        if number == self.call.gone_after_receives:
            self.over.set()
            return {"type": "http.disconnect"}
        if number < len(pieces):
            return {
                "type": "http.request",
                "body": pieces[number],
                "more_body": number < len(pieces) - 1,
            }
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        fields = dict(message)
        if "headers" in fields:
            fields["headers"] = list(fields["headers"])
        self.log.append(("send", fields))
        self._step()
        await asyncio.sleep(0)
        if self._sends == self.call.gone_after_sends:
            self.over.set()
            raise OSError("the client is gone")
        self._sends += 1
        if self.call.checks and self._started == (kind == "http.response.start"):
            raise RuntimeError(f"{kind} is out of order")
        self._started = self._started or kind == "http.response.start"
        if kind == "http.response.body" and not message.get("more_body"):
            self.over.set()


def scope_of(call: Call) -> dict[str, Any]:
    """Make the scope of a request."""
    names = ("early_hint", "push", "trailers", "pathsend", "zerocopysend")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": call.http_version,
        "method": call.method,
        "scheme": "http",
        "path": call.path,
        "raw_path": call.path.encode(),
        "root_path": "",
        "query_string": b"token=hunter2",
        "headers": [(b"host", b"api.example"), (b"x-client", b"acme")],
        "client": ("192.0.2.7", 5000),
        "server": ("127.0.0.1", 8000),
        "extensions": {f"http.response.{name}": {} for name in names},
    }


async def serve(app: Any, call: Call, log: Log) -> None:
    """Call an app as a server does, and write down all that it sees."""
    server = _Server(call, log)

    async def run() -> None:
        try:
            await app(scope_of(call), server.receive, server.send)
        except BaseException as error:
            log.append(("raised", type(error), str(error)))

    server.task = asyncio.create_task(run())
    # What the server cannot see any more: an app that waits for a client which stays.
    waits = asyncio.create_task(_end_waiting(server))
    await asyncio.wait([server.task])
    server.over.set()
    waits.cancel()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        await asyncio.wait(left)


async def _end_waiting(server: _Server) -> None:
    for _ in range(200):
        await asyncio.sleep(0)
    server.over.set()
