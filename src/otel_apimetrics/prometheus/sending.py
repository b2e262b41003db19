"""An ASGI `send` that something looks at."""

from collections.abc import Callable
from typing import Any

from otel_apimetrics import _guard


def noting(send: Any, note: Callable[[Any], None]) -> Any:
    """Give a `send` that shows each message before it goes on as it is.

    Args:
        send: the server's.
        note: gets each message. What it raises is counted and changes nothing.
    """

    async def noted(message: Any) -> None:
        try:
            note(message)
        except Exception as error:
            _guard.swallow("prometheus.send", error)
        await send(message)

    return noted
