"""The protocol that a write token goes with: OTLP, as the vendor's SDK 1.0 speaks it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import uniform
from threading import Lock
from time import time_ns
from typing import Any, Final
from uuid import uuid4

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID

from otel_apimetrics import semconv
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.apitally.buffer import Buffer
from otel_apimetrics.exporters.apitally.lane import EXPORTER, Kind, Lane, Load, whole
from otel_apimetrics.exporters.apitally.log_capture import Logged, LogLine, size_of_lines
from otel_apimetrics.exporters.apitally.options import Options
from otel_apimetrics.exporters.apitally.otlp_events import SCOPE, note_events, record, startup_event
from otel_apimetrics.exporters.apitally.otlp_metrics import Distributions, gauges, histograms
from otel_apimetrics.exporters.apitally.otlp_spans import MARKS, ids_of, span
from otel_apimetrics.exporters.apitally.process import Work
from otel_apimetrics.exporters.apitally.protobuf import attributes, envelope, resource_of, scope
from otel_apimetrics.exporters.apitally.protocol import Protocol, masks_of, selection_of
from otel_apimetrics.exporters.apitally.startup import AppStartup
from otel_apimetrics.exporters.apitally.tally import Tally
from otel_apimetrics.exporters.memory import size_of
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.settings import open_spool
from otel_apimetrics.version import __version__

KEEP: Final = 3_540.0
"""Seconds after which the vendor may not know any more that it has a message already."""
INTERVAL: Final = 15.0
SHORTEST: Final = 5
LONGEST: Final = 60
"""Seconds between messages, unless the vendor asks for another time, within these bounds."""
_FIRST: Final = 2.0
_REMEDIES: Final = {
    401: "the write token is not valid: correct OTEL_EXPORTER_APITALLY_WRITE_TOKEN",
    402: "the plan's quota is used up",
    403: "the write token may not write: correct OTEL_EXPORTER_APITALLY_WRITE_TOKEN",
}
_HEADERS: Final = (("Content-Type", "application/x-protobuf"), ("Content-Encoding", "gzip"))
_MOST_BYTES: Final = 4 * 1024 * 1024


class Otlp(Protocol):
    """Traces, logs and metrics of one process, each on a lane of its own.

    Args:
        options: with a write token.
        startup: what is known of the app.
        resource: attributes of the app's resource. The SDK finds them on threads, and no thread can
            be started any more where a process ends right after its first request.
    """

    def __init__(self, options: Options, startup: AppStartup, resource: Mapping[str, Any]) -> None:
        super().__init__()
        self._options: Final = options
        self._startup = startup
        self._told: AppStartup | None = None
        self._resource: Final = _resource(resource, options.env)
        self._tally: Final = Tally(Distributions)
        self._spans: Final[Buffer[Exchange]] = Buffer(self._span)
        self._records: Final[Buffer[Logged]] = Buffer(self._lines, "logs_")
        self._work: Final = Work()
        self._masks: Final = masks_of(options, MARKS)
        self._selection: Final = selection_of(options)
        self._asked = INTERVAL
        self._counted_from = time_ns()
        self._lock: Final = Lock()
        headers = {"Authorization": f"Bearer {options.write_token}", "Apitally-Env": options.env}
        sender = Sender(
            EXPORTER,
            options.endpoint,
            headers=headers,
            timeout=options.timeout,
            certificate=options.certificate,
            remedies=_REMEDIES,
        )
        account = f"{options.endpoint} {options.write_token} {options.env}"
        self._heart: Final = Lane(
            self._kind("metrics", account, counts=not options.request_logs),
            sender,
            self._count,
            self._answered,
        )
        self._logs: Final = Lane(
            self._kind("logs", account, counts=False), sender, self._note, self._answered
        )
        self._traces: Final = Lane(
            self._kind("traces", account, counts=True), sender, self._trace, self._answered
        )

    @property
    def lanes(self) -> Sequence[Lane]:
        """Give all lanes, the heartbeat's first."""
        if self._options.request_logs:
            return self._heart, self._logs, self._traces
        return self._heart, self._logs

    def started(self, startup: AppStartup) -> None:
        """Take what is known of the app now."""
        with self._lock:
            self._startup = startup
        self._logs.hurry()

    def take(self, exchange: Exchange, lines: Sequence[LogLine] = ()) -> bool:
        """Count an exchange, and translate it where it becomes a request log. May raise."""
        self._tally.add(exchange)
        if not self._options.request_logs or not self._selection.wants(exchange):
            return True
        if self._spans.put(exchange, size_of(exchange)):
            self._traces.hurry()
        if lines and self._records.put((exchange, lines), size_of_lines(lines)):
            self._logs.hurry()
        return True

    def give_up(self) -> None:
        """Count the spans and log records that are left."""
        self._spans.give_up()
        self._records.give_up()

    def closed(self) -> None:
        """Give back nothing: the id of this process is its own alone."""

    def _kind(self, signal: str, account: str, *, counts: bool) -> Kind:
        pack = {"traces": self._pack_spans, "logs": self._pack_events}.get(signal, whole)
        return Kind(
            signal=signal,
            interval=self._interval,
            keep=KEEP,
            first=_FIRST,
            pack=pack,
            counts=counts,
            spool=open_spool(self._options.spool, f"apitally-{signal}", account),
        )

    def _interval(self) -> float:
        # Workers that were started together do not report together.
        return self._asked * uniform(0.9, 1.1)  # noqa: S311

    def _answered(self, answer: Answer) -> None:
        asked = answer.headers.get("apitally-export-interval", "").strip()
        if asked.isascii() and asked.isdigit():
            self._asked = float(min(max(int(asked[:9]), SHORTEST), LONGEST))

    # -- what the lanes collect ------------------------------------------------------------

    def _count(self) -> Iterator[Load]:
        counted = self._tally.take_requests()
        now = time_ns()
        start, self._counted_from = self._counted_from, now
        body = self._enclosed(gauges(now, self._work.share()))
        waiting = counted.exchanges
        for metrics in histograms(counted.points.items(), start, now):
            part = self._enclosed(metrics)
            if len(body) + len(part) > _MOST_BYTES:
                yield Load(_parcel("/v1/metrics", body, 0))
                body = b""
            body += part
        yield Load(_parcel("/v1/metrics", body, waiting))

    def _note(self) -> Iterator[Load]:
        with self._lock:
            startup = self._startup
        events = list(note_events(self._tally.take_notes()))
        if startup != self._told:
            self._told = startup
            events.insert(0, startup_event(startup, self._options))
        if events:
            yield Load(self._pack_events(events), events)
        yield from self._records.take(self._pack_events)

    def _trace(self) -> Iterator[Load]:
        return self._spans.take(self._pack_spans)

    def _span(self, exchange: Exchange) -> tuple[bytes]:
        return (span(exchange, self._options, self._masks),)

    @staticmethod
    def _lines(logged: Logged) -> list[bytes]:
        exchange, lines = logged
        return [record(line, *ids_of(exchange)) for line in lines]

    def _enclosed(self, metrics: Iterable[bytes]) -> bytes:
        return envelope(self._resource, (scope(SCOPE, metrics),))

    def _pack_spans(self, spans: Sequence[bytes], like: Parcel | None = None) -> Parcel:
        held = scope(semconv.SCOPE, spans, version=__version__, schema=semconv.SCHEMA_URL)
        return _parcel("/v1/traces", envelope(self._resource_in(like), (held,)), len(spans))

    def _pack_events(self, events: Sequence[bytes], like: Parcel | None = None) -> Parcel:
        return _parcel("/v1/logs", envelope(self._resource_in(like), events), 0)

    def _resource_in(self, parcel: Parcel | None) -> bytes:
        """Give the resource of a parcel, which another process may have made."""
        return self._resource if parcel is None else resource_of(parcel.body)


def _parcel(path: str, body: bytes, count: int) -> Parcel:
    # Whether the vendor takes what is not compressed, nobody knows: its SDK compresses always.
    return Parcel(path, body, _HEADERS, count, packed=True)


def _resource(known: Mapping[str, Any], env: str) -> bytes:
    found = {
        **known,
        SERVICE_INSTANCE_ID: str(uuid4()),
        semconv.ENVIRONMENT: env,
        "telemetry.distro.name": "otel-apimetrics",
        "telemetry.distro.version": __version__,
    }
    return attributes(1, found)
