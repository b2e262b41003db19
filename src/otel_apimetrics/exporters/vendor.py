"""What the exporters to vendors have in common: two doors onto one translation."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import ClassVar, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_apimetrics import _guard, health, interruptions
from otel_apimetrics.decoding import decode
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters import deployment
from otel_apimetrics.exporters.courier import Courier
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.spool import Spool


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
    is_fed: bool = False
    """A pipeline of ours hands it exchanges, and has its answers and headers reach responses."""
    on_request: float | None = None
    """Seconds that a request waits for its own delivery; `None`: a thread delivers."""

    def __init__(self, sender: Sender, *, timeout: float, spool: Spool | None = None) -> None:
        self._sender: Final = sender
        self._timeout: Final = timeout
        self._patience: Final = Patience()
        self._courier: Final = Courier(
            self.name,
            sender,
            batches=lambda events: _batches(events, self.most_events, self.most_bytes),
            pack=lambda events, _: self.parcel(events),
            answered=lambda answer: self.answered(answer) if answer.taken else None,
            spool=spool,
        )

    @abstractmethod
    def event(self, exchange: Exchange) -> bytes | None:
        """Translate one exchange. A pure function; may raise: the exchange alone is dropped.

        Args:
            exchange: redacted.

        Returns:
            The vendor's event, `None` where its own filters leave it out.
        """

    def beside_requests(self) -> Sequence[str]:
        """Give the options in use that only a pipeline of ours can follow."""
        return ()

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
            if not self.is_fed:
                tell_idle(self.name, self.beside_requests())
            patience, taken = self._patience.within(self._timeout), True
            for environment, group in groupby(spans, deployment.of_span):
                exchanges = [found for span in group if (found := decode(span)) is not None]
                with deployment.told(environment):
                    taken = self.export_exchanges(exchanges, patience) and taken
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
        return self._courier.deliver(events, patience)

    def again(self) -> float | None:
        """Give the seconds after which it has something to do without new exchanges, or `None`."""
        return self._courier.again()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Nothing waits here: a queue or a processor before it does."""
        return True

    def shutdown(self) -> None:
        """Give up what is still being tried."""
        self._patience.end_by(0.0)
        self._courier.close()

    def _translated(self, exchange: Exchange) -> bytes | None:
        try:
            event = self.event(exchange)
        except BaseException as error:  # of a hook of the user's
            if not interruptions.is_own(error):
                raise
            _guard.swallow(f"exporter.{self.name}.event", error)
            health.count("dropped", self.name, "untranslatable")
            return None
        if event is not None and len(event) > self.most_bytes:
            health.count("dropped", self.name, "too_large")
            return None
        return event


def tell_idle(name: str, options: Sequence[str]) -> None:
    """Tell once of options that do nothing where an exporter stands behind a span processor."""
    if options:
        _guard.warn_once(
            f"exporter.{name}.idle",
            "%s of the exporter %s does nothing behind a span processor (OTEL_TRACES_EXPORTER, or"
            " in code): no request passes there. Have the exporter in OTEL_APIMETRICS_EXPORTERS,"
            " or in exporters=[...] of instrument(), and not behind a processor.",
            " and ".join(f"{one} (OTEL_EXPORTER_{name.upper()}_{one.upper()})" for one in options),
            name,
        )


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
