"""What asyncio and Trio have different calls for."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any


def is_trio() -> bool:
    """Tell whether the caller runs in a task of Trio's."""
    # Whoever runs Trio has imported it.
    trio: Any = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


async def on_thread(call: Callable[[], Any]) -> Any:
    """Call a function on a thread, in the context of the caller, while the event loop goes on."""
    if is_trio():
        return await sys.modules["trio"].to_thread.run_sync(call)
    return await asyncio.to_thread(call)
