"""The exporter to Apitally: counts of every request, request logs, and a heartbeat."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_apimetrics import _guard, health, interruptions, open_requests
from otel_apimetrics.config import ConfigError
from otel_apimetrics.decoding import decode
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters import deployment
from otel_apimetrics.exporters.apitally.hub import Hub
from otel_apimetrics.exporters.apitally.lane import EXPORTER
from otel_apimetrics.exporters.apitally.log_capture import LogCapture
from otel_apimetrics.exporters.apitally.masks import MAX_BODY
from otel_apimetrics.exporters.apitally.options import in_environment, read_options
from otel_apimetrics.exporters.apitally.otlp import Otlp
from otel_apimetrics.exporters.apitally.protocol import Protocol
from otel_apimetrics.exporters.apitally.startup import AppStartup
from otel_apimetrics.exporters.directories import tell_denied
from otel_apimetrics.exporters.needs import Needs
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import require_client
from otel_apimetrics.exporters.settings import open_spool
from otel_apimetrics.exporters.spool import SUFFIX

CLOSE: Final = 5.0
"""Seconds that the end of a process may take here."""
LEAST: Final = 0.1
KEEPING: Final = 1.0
"""Seconds that it takes at most though others have taken all that there was; to a disk."""


class ApitallySpanExporter(SpanExporter):
    """Reports to Apitally, by the protocol that the credentials go with.

    Unlike other exporters it sends in periods, from threads of its own, as the vendor wants it:
    `export` and `export_exchanges` count and translate, and return without waiting for the vendor.
    `force_flush` and `shutdown` wait.

    Args:
        options: see `docs/exporters/apitally.md`. A keyword wins over its variable,
            `OTEL_EXPORTER_APITALLY_<OPTION>`.

    Raises:
        ConfigError: an option is not accepted, or there are no credentials.
    """

    name: ClassVar[str] = EXPORTER
    counts_itself: ClassVar[bool] = True

    def __init__(self, **options: Any) -> None:
        self._options: Final = read_options(options)
        with_token = self._options.write_token is not None
        self._resource: Final = Resource.create().attributes if with_token else None
        self._startup = AppStartup()
        self._patience = Patience()
        self._by_pid: Final[dict[int, Protocol]] = {}
        self._closed_in = 0
        self._capture: Final = LogCapture() if self._options.capture_logs else None
        # What is missing or wrong is said now, and not on a thread that exports.
        require_client(EXPORTER)
        open_spool(self._options.spool, EXPORTER, "")

    @property
    def needs(self) -> Needs:
        """Give what must be captured for the options that were chosen."""
        wants = self._options
        if not wants.request_logs:
            return Needs()
        return Needs(
            bodies=wants.capture_request_body or wants.capture_response_body,
            headers=wants.capture_request_headers or wants.capture_response_headers,
            max_body_size=MAX_BODY,
        )

    def start(self) -> None:
        """Begin the heartbeat in this process, before its first request. Never raises."""
        try:
            if self._closed_in != os.getpid():
                self._protocol().tend(Patience())
        except Exception as error:
            _guard.swallow("exporter.apitally.start", error)

    def again(self) -> float | None:
        """Give 0 where a former process has left something and nobody sends it yet, or `None`."""
        spool = self._options.spool
        if spool is None or os.getpid() in self._by_pid or self._closed_in == os.getpid():
            return None
        return 0.0 if any(spool.glob(f"{EXPORTER}-*{SUFFIX}")) else None

    def app_started(self, framework: str, routes: Sequence[str]) -> None:
        """Take what the first request of an app has found out. Never raises, does not block.

        Args:
            framework: its name in lower case.
            routes: as "METHOD /template".
        """
        if self._capture is not None and self._closed_in != os.getpid():
            self._capture.install()
        known = self._startup
        every = tuple(dict.fromkeys((*known.routes, *routes)))
        self._startup = AppStartup(known.framework or framework, every)
        protocol = self._by_pid.get(os.getpid())
        if protocol is not None:
            protocol.started(self._startup)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take what ended spans tell of."""
        try:
            exchanges = [found for span in spans if (found := decode(span)) is not None]
            with deployment.told(deployment.of_span(spans[0]) if spans else None):
                taken = self.export_exchanges(exchanges)
        except Exception as error:
            _guard.swallow("exporter.apitally", error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def export_exchanges(
        self, exchanges: Sequence[Exchange], patience: Patience | None = None
    ) -> bool:
        """Count exchanges, and translate those that become request logs.

        Args:
            exchanges: redacted.
            patience: of who hands them over. It is waited for nothing, except where no threads
                run: there what is due is sent from here, for a second at most.

        Returns:
            True where all of them were taken.
        """
        if self._closed_in == os.getpid():
            health.count("dropped", EXPORTER, "shutdown", len(exchanges))
            return False
        self._patience = patience or Patience(self._options.timeout)
        if exchanges and not self._startup.framework:
            self._startup = AppStartup(exchanges[0].framework)
        protocol = self._protocol()
        taken = [self._take(protocol, each) for each in exchanges]
        protocol.tend(self._patience)
        if self._patience.hurried:
            protocol.hurry()
        return all(taken)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send everything that was taken; False where the vendor has not all of it in time."""
        protocol = self._by_pid.get(os.getpid())
        return protocol is None or protocol.flush(Patience(timeout_millis / 1000))

    def shutdown(self) -> None:
        """Send what is left, in the time that the process has left, five seconds at most."""
        if self._closed_in == os.getpid():
            return
        self._closed_in = os.getpid()
        if self._capture is not None:
            self._capture.remove()
        protocol = self._by_pid.get(os.getpid())
        if protocol is None:
            return
        if self._hurry in open_requests.at_end:
            open_requests.at_end.remove(self._hurry)
        left = self._patience.left() if self._patience.hurried else CLOSE
        protocol.close(min(max(left, LEAST if self._options.spool is None else KEEPING), CLOSE))

    def _take(self, protocol: Protocol, exchange: Exchange) -> bool:
        try:
            lines = () if self._capture is None else self._capture.take(exchange.id)
            if protocol.take(exchange, lines):
                health.keep(1)  # it waits here now, and is not the queue's to count
                return True
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow("exporter.apitally.event", error)
            health.count("dropped", EXPORTER, "untranslatable")
        return False

    def _protocol(self) -> Protocol:
        """Give this process's state. What a parent holds is the parent's to send."""
        pid = os.getpid()
        protocol = self._by_pid.get(pid)
        if protocol is not None:
            return protocol
        made = self._make()
        if self._capture is not None:
            self._capture.install()
        # Two threads may come here at once, and no lock may be held when a process is forked.
        kept = self._by_pid.setdefault(pid, made)
        if kept is not made:
            made.closed()
            return kept
        for other in [each for each in self._by_pid if each != pid]:
            self._by_pid.pop(other).closed()
        # Other queues may take all the time that there is at the end: this one's begins with it.
        if self._hurry not in open_requests.at_end:
            open_requests.at_end.insert(0, self._hurry)
        return made

    def _hurry(self) -> None:
        """Have everything sent, but for what a parent holds: its locks may be held, too."""
        protocol = self._by_pid.get(os.getpid())
        if protocol is not None:
            protocol.hurry()

    def _make(self) -> Protocol:
        options = in_environment(self._options)
        try:
            open_spool(options.spool, EXPORTER, "")
        except ConfigError as error:
            if options.spool is None or not isinstance(error.__cause__, PermissionError):
                raise
            tell_denied(EXPORTER, "spool", options.spool)
            options = replace(options, spool=None)
        if self._resource is None:
            return Hub(options, self._startup)
        return Otlp(options, self._startup, self._resource)
