"""Async hooks, asked beside what the app still does behind its last byte.

The record waits for them, the app does not: they run in a task of their own. Only where the event
loop may end with the request (no lifespan of ours is served in it) whoever stands outside of the
app waits, `PATIENCE` seconds at most.
"""

import asyncio
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from otel_apimetrics import _guard, collection, open_requests
from otel_apimetrics.conclusion import Conclusion

PATIENCE = 5.0
"""Seconds that the hooks of one request may take together."""

attended: list[asyncio.AbstractEventLoop] = []
"""Event loops that will tell us of their end: an app's lifespan is served in them."""

_tasks: set["asyncio.Task[None]"] = set()
"""The event loop itself keeps no task alive."""


class Asked:
    """A request that is over but for its async hooks. It is in flight until they answer.

    Args:
        conclusion: has seen the exchange.
        ended: called once the record is made.
    """

    __slots__ = ("_conclusion", "_ended", "_task", "moved")

    def __init__(self, conclusion: Conclusion, ended: Callable[[], None]) -> None:
        self._conclusion = conclusion
        self._ended = ended
        self._task: asyncio.Task[None] | None = None
        self.moved = monotonic()
        open_requests.add(self)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # Trio's: `wait` asks
        try:
            # Not by the loop's task factory: that is the app's.
            task = asyncio.Task(self._ask(), loop=loop, name="otel_apimetrics.hooks")
        except BaseException:
            open_requests.take(self)  # nobody would end it
            raise
        self._task = task
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
        timer = loop.call_later(PATIENCE, self._give_up)
        task.add_done_callback(lambda _: timer.cancel())

    async def wait(self) -> None:
        """Wait for the answers where nothing else would: the app has been left."""
        if self._task is None:
            await self._ask_here()
        elif self._task.get_loop() not in attended:
            await asyncio.wait({self._task}, timeout=PATIENCE)

    def abandon(self) -> None:
        """Make the record without the answers that are still to come."""
        if open_requests.take(self):
            self._conclude()

    def _conclude(self) -> None:
        self._conclusion.ask_no_more()
        self._conclusion.make()
        self._ended()

    async def _ask(self) -> None:
        try:
            await self._conclusion.judge()
        finally:
            # Also where the task is cancelled or thrown away: then without an answer.
            if collection.is_running():
                open_requests.postpone(self.abandon)
            else:
                self.abandon()

    async def _ask_here(self) -> None:
        trio: Any = sys.modules.get("trio")
        if trio is None or not trio.lowlevel.in_trio_run():
            await self._ask()
            return
        with trio.move_on_after(PATIENCE) as scope:
            await self._ask()
        if scope.cancelled_caught:
            _count_timeout()

    def _give_up(self) -> None:
        if open_requests.take(self):
            _count_timeout()
            self._conclude()
        if self._task is not None:
            self._task.cancel()


async def settle(loop: asyncio.AbstractEventLoop) -> None:
    """Wait for all that is asked in this event loop, `PATIENCE` seconds at most."""
    tasks = {task for task in tuple(_tasks) if task.get_loop() is loop}
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE)


def _count_timeout() -> None:
    _guard.swallow("hooks.timeout", TimeoutError(f"no answer in {PATIENCE} s"), reveal=True)
