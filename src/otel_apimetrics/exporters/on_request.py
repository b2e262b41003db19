"""Delivery by the request itself, for those who want no thread."""

from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_apimetrics import open_requests
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.closing import close_all
from otel_apimetrics.exporters.delivery import DeliveryQueue, Export


class RequestDelivery(DeliveryQueue):
    """Hands each exchange on at once, on the thread or in the task that served it.

    The response is complete by then; whoever serves the next request on that thread waits.

    Args:
        within: seconds that it may take.
        options: of a `DeliveryQueue`.
    """

    def __init__(self, name: str, export: Export, *, within: float, **options: Any) -> None:
        super().__init__(name, export, **options)
        self._within: Final = within

    def resume(self) -> None:
        """Do nothing: there is no thread that could."""

    def _put(self, exchange: Exchange, size: int) -> None:  # noqa: ARG002  nothing is kept
        self._own()
        if close_all not in open_requests.at_end:
            open_requests.at_end.append(close_all)
        with suppress_instrumentation():
            self._deliver(self._in_flight.add([exchange]), self._patience.within(self._within))
