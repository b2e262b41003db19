"""The lifespan of an ASGI app: its end is the last moment that uvicorn leaves us.

After the shutdown uvicorn kills its own process with the signal that ended it, so that
nothing registered with `atexit` runs: what the providers hold would be lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from time import monotonic
from typing import Any

from opentelemetry import metrics

from otel_apimetrics import _guard, asking, ending
from otel_apimetrics.pipeline import Pipeline

Message = MutableMapping[str, Any]

_ENDINGS = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})


def flushing(
    send: Callable[[Message], Awaitable[None]], pipeline: Pipeline
) -> Callable[[Message], Awaitable[None]]:
    """Wrap `send` so that the app's last word waits until everything is handed on."""

    async def send_after_flush(message: Message) -> None:
        try:
            if message["type"] in _ENDINGS:
                await _settle_hooks()
                await _flush_aside(pipeline)
        except Exception as error:
            _guard.swallow("asgi.lifespan", error)
        await send(message)

    return send_after_flush


async def call_lifespan(
    app: Callable[..., Awaitable[Any]],
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
    pipeline: Pipeline,
    *,
    may_raise: bool,
) -> Any:
    """Call an app with its lifespan; where it has none, serve one in its place.

    An app has none if it returns without a word, as many a bare one does, or (`may_raise`)
    if it is Django's, which raises. A server that is not asked tells nobody of the shutdown.
    What else raises has failed to start, and the server shall see that.
    """
    touched = False
    result: Any = None

    async def noting_receive() -> Message:
        nonlocal touched
        touched = True
        return await receive()

    async def noting_send(message: Message) -> None:
        nonlocal touched
        touched = True
        await flushing_send(message)

    flushing_send = flushing(send, pipeline)
    _resume(pipeline)
    with _attending():
        try:
            result = await app(scope, noting_receive, noting_send)
        except Exception:
            if touched or not may_raise:
                raise
        if not touched:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await flushing_send({"type": "lifespan.shutdown.complete"})
    return result


def _resume(pipeline: Pipeline) -> None:
    """Have exporters send what former processes have left: here is a worker, and no master."""
    try:
        for outlet in pipeline.outlets:
            resume = getattr(outlet, "resume", None)
            if resume is not None:
                resume()
    except Exception as error:
        _guard.swallow("asgi.resume", error)


@contextmanager
def _attending() -> Iterator[None]:
    """Note that this event loop will tell us of its end."""
    loop = _running_loop()
    if loop is None:
        yield
        return
    asking.attended.append(loop)
    try:
        yield
    finally:
        asking.attended.remove(loop)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Give the event loop; `None` in Trio's, which knows no future of a thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _settle_hooks() -> None:
    loop = _running_loop()
    if loop is not None:
        await asking.settle(loop)


def flush(pipeline: Pipeline) -> None:
    """Have the exporters and the providers hand on what they hold.

    Blocks until `ending.LAST` seconds before the end of the process is to be over. Nothing is shut
    down: another app of this process may go on.
    """
    until = ending.end_by() - ending.LAST
    seconds = max(until - monotonic(), 0.0)
    flushes = [
        Thread(target=outlet.flush, args=(seconds,), daemon=True) for outlet in pipeline.outlets
    ]
    meter_provider = pipeline.config.meter_provider or metrics.get_meter_provider()
    for provider in (pipeline.tracer_provider(), meter_provider):
        force_flush = getattr(provider, "force_flush", None)
        if force_flush is not None:
            flushes.append(Thread(target=_quietly, args=(force_flush, seconds), daemon=True))
    for thread in flushes:
        thread.start()
    for thread in flushes:
        thread.join(max(until - monotonic(), 0.0))
    if monotonic() < until:
        ending.go_on()


async def _flush_aside(pipeline: Pipeline) -> None:
    """Flush in a thread, so that what else runs in the event loop goes on meanwhile."""
    if _running_loop() is None:
        flush(pipeline)
        return
    done: Future[None] = Future()
    done.set_running_or_notify_cancel()  # a shutdown that is cancelled leaves the thread alone

    def work() -> None:
        try:
            flush(pipeline)
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    Thread(target=work, daemon=True).start()
    await asyncio.wrap_future(done)


def _quietly(force_flush: Callable[[int], object], seconds: float) -> None:
    try:
        force_flush(int(seconds * 1_000))
    except Exception as error:
        _guard.swallow("asgi.flush", error)
