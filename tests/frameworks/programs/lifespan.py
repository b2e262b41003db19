"""Programs of lifespans."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import strategies as st

from tests.frameworks.programs.wsgi import Log, error_of

KINDS = ("startup.complete", "startup.failed", "shutdown.complete", "shutdown.failed")
PROGRAMS = st.lists(
    st.one_of(
        st.just(("receive",)),
        st.just(("receive",)),
        st.just(("sleep",)),
        st.tuples(st.just("send"), st.sampled_from(KINDS)),
        st.tuples(st.just("state"), st.sampled_from(["pool", "consumer"])),
        st.tuples(st.just("raise"), st.sampled_from(["ValueError", "KeyError"])),
    ),
    max_size=7,
)


def is_silent(program: list[Any]) -> bool:
    """Tell whether an app neither asks nor says anything, and raises nothing."""
    return all(kind not in {"receive", "send", "raise"} for kind, *_ in program)


def app_of(program: list[Any], log: Log) -> Any:
    """Make the ASGI app of a program."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for kind, *arguments in program:
            if kind == "receive":
                log.append(("app got", await receive()))
            elif kind == "send":
                await send({"type": f"lifespan.{arguments[0]}"})
            elif kind == "state":
                scope["state"][arguments[0]] = object
            elif kind == "raise":
                raise error_of(arguments[0])
            else:
                await asyncio.sleep(0)

    return app


async def serve(app: Any, log: Log) -> None:
    """Start and stop an app as uvicorn does."""
    waiting = ["lifespan.startup", "lifespan.shutdown"]
    scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        kind = waiting.pop(0) if waiting else "lifespan.shutdown"
        log.append(("receive", kind))
        return {"type": kind}

    async def send(message: dict[str, Any]) -> None:
        log.append(("send", dict(message)))

    try:
        await app(scope, receive, send)
    except BaseException as error:
        log.append(("raised", type(error), str(error)))
    log.append(("state", dict(scope["state"])))
