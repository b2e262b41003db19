"""A backend as its last answer has shown it."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.retry_after import asked_rest
from otel_apimetrics.exporters.sender import Sender


class Backend:
    """Asks a backend, but not while it has asked to be left alone. Safe between threads.

    Args:
        sender: to it.
        answered: called with each answer; must not block.
        waits: who asks waits until it may, within its patience.
    """

    def __init__(self, sender: Sender, answered: Callable[[Answer], None], *, waits: bool) -> None:
        self._sender: Final = sender
        self._answered: Final = answered
        self._waits: Final = waits
        self._closed_until = 0.0
        self.is_silent = False
        """Its last answer was none, or said that it is away."""

    @property
    def url(self) -> str:
        """Give its address, for log lines."""
        return self._sender.base_url

    def closed(self) -> float:
        """Give the seconds for which it is to be left alone; 0 or less: it may be asked."""
        return self._closed_until - monotonic()

    def post(self, parcel: Parcel, patience: Patience, errors: int) -> Answer:
        """Send a parcel, no further than to so many answers that may be other ones later."""
        closed = self.closed()
        if closed > 0 and not (self._waits and patience.wait(closed)):
            return Answer(None, {}, b"", attempts=0)
        answer = self._sender.send(parcel, patience, errors)
        if not answer.taken:
            self._closed_until = max(self._closed_until, monotonic() + asked_rest(answer))
        if answer.attempts:
            self.is_silent = answer.away
        try:
            self._answered(answer)
        except Exception as error:
            _guard.swallow(f"exporter.{self._sender.name}.answer", error)
        return answer
