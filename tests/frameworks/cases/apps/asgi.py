"""The plain ASGI app: the shared paths, and what only plain ASGI can say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from tests.frameworks.cases.apps import answers, wsgi
from tests.frameworks.cases.apps.answers import Answer, note


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    first, _, rest = scope["path"].lstrip("/").partition("/")
    if first == "odd":
        await odd(scope, receive, send)
    elif first == "raise" and rest == "handled":
        await say(answers.HANDLED, send)
    elif first == "file":
        await file(scope, send)
    elif first == "after":
        await say(Answer(b"before"), send)
        answers.background()
    else:
        answer = await find(scope, receive, first, rest)
        await say(answer or Answer(b"not found", status=404), send)


async def lifespan(receive: Any, send: Any) -> None:
    for part in ("startup", "shutdown"):
        await receive()
        note(part)
        await send({"type": f"lifespan.{part}.complete"})


async def find(scope: Any, receive: Any, first: str, rest: str) -> Answer | None:
    """Find the answer of a path that every framework has."""
    match first:
        case "echo":
            body = b"".join([piece async for piece in pieces(receive)])
            return answers.echoed(body, content_type(scope))
        case "count":
            return answers.counted(sum([len(piece) async for piece in pieces(receive)]))
        case "part":
            return answers.counted(len((await receive()).get("body", b"")))
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
    return wsgi.simple(first, rest)


def content_type(scope: Any) -> str | None:
    found = [value for name, value in scope["headers"] if name == b"content-type"]
    return found[0].decode("latin-1") if found else None


async def pieces(receive: Any) -> AsyncIterator[bytes]:
    """Read the body as it comes."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            note("disconnected")
            return
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def started(status: int, lines: Iterable[tuple[str, str]], **more: Any) -> dict[str, Any]:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in lines]
    return {"type": "http.response.start", "status": status, "headers": headers, **more}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def say(answer: Answer, send: Any) -> None:
    """Give an answer as an ASGI app does."""
    lines = answer.lines
    if answer.chunks is None:
        if answer.status not in {204, 304}:
            lines = [*lines, ("Content-Length", str(len(answer.body)))]
        await send(started(answer.status, lines))
        await send(part(answer.body))
        return
    await send(started(answer.status, lines))
    for chunk in answer.chunks():
        await send(part(chunk, more=True))
        await asyncio.sleep(0)
    await send(part(b""))


async def file(scope: Any, send: Any) -> None:
    size = str(answers.FILE.stat().st_size)
    lines = [("Content-Type", "text/plain"), ("Content-Length", size), answers.MARK]
    await send(started(200, lines))
    if "http.response.pathsend" in scope.get("extensions", {}):
        await send({"type": "http.response.pathsend", "path": str(answers.FILE)})
    else:
        await send(part(answers.FILE.read_bytes()))


# -- what only plain ASGI can say ---------------------------------------------------------

HEAD = [("Content-Type", "text/plain"), answers.MARK]


async def odd(scope: Any, receive: Any, send: Any) -> None:
    """Be an app of oddities, wherever it is mounted."""
    await ODD[scope["path"].rpartition("/")[2]](scope, receive, send)


async def hints(scope: Any, _receive: Any, send: Any) -> None:
    if "http.response.early_hint" in scope.get("extensions", {}):
        await send({"type": "http.response.early_hint", "links": [b"</s.css>; rel=preload"]})
    await send(started(200, HEAD))
    await send(part(b"hinted"))


async def push(scope: Any, _receive: Any, send: Any) -> None:
    if "http.response.push" in scope.get("extensions", {}):
        await send({"type": "http.response.push", "path": "/s.css", "headers": []})
    await send(started(200, HEAD))
    await send(part(b"pushed"))


async def trailers(scope: Any, _receive: Any, send: Any) -> None:
    extended = "http.response.trailers" in scope.get("extensions", {})
    await send(started(200, [*HEAD, ("Trailer", "X-Sum")], trailers=extended))
    await send(part(b"body, ", more=True))
    await send(part(b"then trailers"))
    if extended:
        first = {"headers": [(b"x-sum", b"1")], "more_trailers": True}
        await send({"type": "http.response.trailers", **first})
        note("between trailers")
        last = {"headers": [(b"x-more", b"2")], "more_trailers": False}
        await send({"type": "http.response.trailers", **last})


async def zero_copy(scope: Any, _receive: Any, send: Any) -> None:
    size = answers.FILE.stat().st_size
    await send(started(200, [*HEAD, ("Content-Length", str(size))]))
    if "http.response.zerocopysend" not in scope.get("extensions", {}):
        await send(part(answers.FILE.read_bytes()))
        return
    with answers.FILE.open("rb") as opened:
        file = opened.fileno()
        first = {"file": file, "count": 4, "more_body": True}
        await send({"type": "http.response.zerocopysend", **first})
        await send({"type": "http.response.zerocopysend", "file": file, "offset": 4})


async def listen(_scope: Any, receive: Any, send: Any) -> None:
    """Stream, and listen for the client's end meanwhile, as Starlette does."""
    while (await receive()).get("more_body"):
        pass
    listening = asyncio.create_task(receive())
    await send(started(200, [("Content-Type", "text/event-stream"), answers.MARK]))
    for event in answers.EVENTS:
        await send(part(event, more=True))
        await asyncio.sleep(0)
        assert not listening.done(), "somebody answered in the place of the server"
    await send(part(b""))
    message = await listening
    note("heard", message["type"])


async def pieces_of(_scope: Any, _receive: Any, send: Any) -> None:
    await send(started(200, HEAD))
    for chunk in (b"a", b"", b"b"):
        await send(part(chunk, more=True))
    await send(part(b"c"))


async def bare_messages(_scope: Any, _receive: Any, send: Any) -> None:
    """Leave out all that may be left out."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"1")]})
    await send({"type": "http.response.body"})


async def headers(_scope: Any, _receive: Any, send: Any) -> None:
    await send(started(200, [*HEAD, ("X-Caf", "caf\xe9"), ("X-Empty", ""), ("X_Under", "1")]))
    await send(part(b"odd"))


async def started_twice(_scope: Any, _receive: Any, send: Any) -> None:
    await send(started(200, HEAD))
    await send(started(500, HEAD))


async def never_started(_scope: Any, _receive: Any, _send: Any) -> None:
    note("silent")


async def cancelled(_scope: Any, _receive: Any, send: Any) -> None:
    await send(started(200, HEAD))
    await send(part(b"first", more=True))
    raise asyncio.CancelledError


def bodied(status: int) -> Any:
    async def given(_scope: Any, _receive: Any, send: Any) -> None:
        await send(started(status, [answers.MARK]))
        await send(part(b"ignored"))

    return given


async def web_socket(_scope: Any, receive: Any, send: Any) -> None:
    """Greet, echo every message twice, and close when asked."""
    await receive()
    await send({"type": "websocket.accept", "headers": [(b"x-app", b"cases")]})
    await send({"type": "websocket.send", "text": "grüß"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 4001, "reason": "asked"})
            return
        await send({"type": "websocket.send", "bytes": (message["text"] or "").encode()})
    note("left", message.get("code"))


async def refused_socket(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4003})


async def denied_socket(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send({**started(401, HEAD), "type": "websocket.http.response.start"})
    await send({"type": "websocket.http.response.body", "body": b"who are you?"})


async def broken_socket(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    raise answers.BrokenStreamError("half-way")


ODD: dict[str, Any] = {
    "hints": hints,
    "push": push,
    "trailers": trailers,
    "zero-copy": zero_copy,
    "listen": listen,
    "pieces": pieces_of,
    "bare": bare_messages,
    "headers": headers,
    "started-twice": started_twice,
    "never-started": never_started,
    "cancelled": cancelled,
    "no-content-with-body": bodied(204),
    "not-modified-with-body": bodied(304),
    "socket": web_socket,
    "refused-socket": refused_socket,
    "denied-socket": denied_socket,
    "broken-socket": broken_socket,
}
