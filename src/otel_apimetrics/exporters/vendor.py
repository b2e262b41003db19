"""What the exporters to vendors have in common: two doors onto one translation."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_apimetrics import _guard, health
from otel_apimetrics.decoding import decode
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.parcel import UNREADABLE, Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.spool import Spool

SPOOL_AFTER: Final = 10.0
"""Seconds for which a backend may be away before parcels go to the disk, where there is one."""
_SPLITS: Final = 16
"""Requests that are made of one which a backend could not read, to find the record that it
stumbles over."""


class VendorExporter(SpanExporter, ABC):
    """Translates exchanges and sends them to one vendor.

    `export(spans)` is OpenTelemetry's door: spans that a processor or a gateway hands over.
    `export_exchanges` is ours: each exchange, whatever the trace sampler said. Both block until
    the vendor took or refused what they were given, or the time is over; neither raises.
    It counts in `apimetrics.exporter.*` itself.

    Args:
        sender: to the vendor.
        timeout: seconds that `export` may take.
        spool: where parcels wait that could not be delivered in time.
    """

    name: ClassVar[str]
    """Of the entry point."""
    most_events: int = 120
    """Events in one request."""
    most_bytes: ClassVar[int] = 4 * 1024 * 1024
    """Bytes of the events in one request."""
    counts_itself: ClassVar[bool] = True
    on_request: float | None = None
    """Seconds that a request waits for its own delivery; `None`: a thread delivers."""

    def __init__(self, sender: Sender, *, timeout: float, spool: Spool | None = None) -> None:
        self._sender: Final = sender
        self._timeout: Final = timeout
        self._spool: Final = spool
        self._patience: Final = Patience()

    @abstractmethod
    def event(self, exchange: Exchange) -> bytes | None:
        """Translate one exchange. A pure function; may raise: the exchange alone is dropped.

        Args:
            exchange: redacted.

        Returns:
            The vendor's event, `None` where its own filters leave it out.
        """

    @abstractmethod
    def parcel(self, events: Sequence[bytes]) -> Parcel:
        """Put translated events into one request. A pure function."""

    def begin(self, patience: Patience) -> None:
        """Do what has to be done before exchanges are translated; nothing, unless overridden.

        Args:
            patience: how long it may block.
        """

    def answered(self, answer: Answer) -> None:
        """Look at an answer of the vendor's that took a parcel. Must not raise or block."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver what ended spans tell of, within the timeout."""
        try:
            exchanges = [found for span in spans if (found := decode(span)) is not None]
            taken = self.export_exchanges(exchanges, self._patience.within(self._timeout))
        except Exception as error:
            _guard.swallow(f"exporter.{self.name}", error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def export_exchanges(
        self, exchanges: Sequence[Exchange], patience: Patience | None = None
    ) -> bool:
        """Deliver exchanges.

        Args:
            exchanges: redacted.
            patience: how long it may go on; `None`: within the timeout.

        Returns:
            True where the vendor has all of them, but for what could not be translated.
        """
        if patience is None:
            patience = self._patience.within(self._timeout)
        self.begin(patience)
        return self._deliver(exchanges, patience)

    def _deliver(self, exchanges: Sequence[Exchange], patience: Patience) -> bool:
        events = [event for each in exchanges if (event := self._translated(each)) is not None]
        taken = True
        for batch in _batches(events, self.most_events, self.most_bytes):
            taken = self._send(batch, patience, [_SPLITS]) and taken
        if taken and self._spool is not None:
            self._send_spooled(self._spool, patience)
        return taken

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Nothing waits here: a queue or a processor before it does."""
        return True

    def shutdown(self) -> None:
        """Give up what is still being tried."""
        self._patience.end_by(0.0)

    def _translated(self, exchange: Exchange) -> bytes | None:
        try:
            event = self.event(exchange)
        except Exception as error:
            _guard.swallow(f"exporter.{self.name}.event", error)
            health.count("dropped", self.name, "untranslatable")
            return None
        if event is not None and len(event) > self.most_bytes:
            health.count("dropped", self.name, "too_large")
            return None
        return event

    def _send(self, events: list[bytes], patience: Patience, splits: list[int]) -> bool:
        parcel = self.parcel(events)
        first = patience if self._spool is None else patience.within(SPOOL_AFTER)
        answer = self._sender.send(parcel, first)
        if answer.taken:
            health.count("sent", self.name, number=len(events))
            self._look_at(answer)
            return True
        if answer.status in UNREADABLE and len(events) > 1 and splits[0]:
            # One record may be what it stumbles over: halves find it, and the others arrive.
            splits[0] -= 1
            middle = len(events) // 2
            first_half = self._send(events[:middle], patience, splits)
            return self._send(events[middle:], patience, splits) and first_half
        if answer.refused:
            health.count("failed", self.name, "refused", len(events))
        elif self._spool is None or not self._spool.put(parcel):
            health.count("failed", self.name, "unavailable", len(events))
        return False

    def _look_at(self, answer: Answer) -> None:
        try:
            self.answered(answer)
        except Exception as error:
            _guard.swallow(f"exporter.{self.name}.answer", error)

    def _send_spooled(self, spool: Spool, patience: Patience) -> None:
        """Deliver what waits on the disk, until nothing does or the backend is away again."""
        while patience.left() > 0:
            with spool.take() as waiting:
                if waiting is None:
                    return
                answer = self._sender.send(waiting.parcel, patience.within(SPOOL_AFTER))
                if not (answer.taken or answer.refused):
                    return
                waiting.done()
            if answer.taken:
                health.count("sent", self.name, number=waiting.parcel.count)
            else:
                health.count("failed", self.name, "refused", waiting.parcel.count)


def _batches(events: Iterable[bytes], most: int, most_bytes: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for event in events:
        if batch and (len(batch) >= most or size + len(event) > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield batch
