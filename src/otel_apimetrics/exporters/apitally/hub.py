"""The protocol that a client id goes with: hub v2, as the vendor's SDK 0.25 speaks it."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Final
from uuid import UUID

from otel_apimetrics import _guard, health
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.apitally.buffer import Buffer
from otel_apimetrics.exporters.apitally.hub_messages import (
    MARKS,
    Bins,
    log_line,
    startup_message,
    sync_message,
)
from otel_apimetrics.exporters.apitally.instance import Instance
from otel_apimetrics.exporters.apitally.lane import EXPORTER, Kind, Lane, Load
from otel_apimetrics.exporters.apitally.log_capture import Logged, LogLine, size_of_lines
from otel_apimetrics.exporters.apitally.options import Options
from otel_apimetrics.exporters.apitally.process import Work
from otel_apimetrics.exporters.apitally.protocol import Protocol, masks_of, selection_of
from otel_apimetrics.exporters.apitally.startup import AppStartup
from otel_apimetrics.exporters.apitally.tally import Tally
from otel_apimetrics.exporters.memory import size_of
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.settings import open_spool

KEEP: Final = 3_600.0
"""Seconds after which the vendor does not take a message any more."""
_YOUNG: Final = 3_600.0
"""Seconds of a process's life in which it reports more often."""
OFTEN: Final = 10.0
SELDOM: Final = 60.0
_NOT_FOUND: Final = 404
_PAYMENT: Final = 402
_REMEDIES: Final = {
    404: "the client id is not known there, so nothing is sent for an hour: correct"
    " OTEL_EXPORTER_APITALLY_CLIENT_ID",
    402: "the plan's quota is used up",
    422: "the message was not understood: look for a newer otel-apimetrics",
}


class Hub(Protocol):
    """Startup, sync and log messages of one process, each on a lane of its own.

    Args:
        options: with a client id.
        startup: what is known of the app.
    """

    def __init__(self, options: Options, startup: AppStartup) -> None:
        super().__init__()
        self._options: Final = options
        self._startup = startup
        self._told: AppStartup | None = None
        self._instance: Final = Instance(f"{options.client_id}:{options.env}")
        self._tally: Final = Tally(Bins)
        self._lines: Final[Buffer[Logged]] = Buffer(self._line)
        self._work: Final = Work()
        self._masks: Final = masks_of(options, MARKS)
        self._selection: Final = selection_of(options)
        self._began: Final = monotonic()
        self._suspended_until = 0.0
        self._quota_until = 0.0
        self._lock: Final = Lock()
        sender = Sender(
            EXPORTER,
            options.endpoint,
            secret_path=f"/v2/{options.client_id}/{options.env}",
            headers={},
            timeout=options.timeout,
            certificate=options.certificate,
            remedies=_REMEDIES,
        )
        account = f"{options.endpoint} {options.client_id} {options.env}"
        shown = options.request_logs
        self._introduction: Final = Lane(
            Kind(signal="startup", interval=self._interval, keep=KEEP, counts=False),
            sender,
            self._introduce,
            self._answered,
        )
        spool = open_spool(options.spool, "apitally-sync", account)
        self._heart: Final = Lane(
            Kind(signal="sync", interval=self._interval, keep=KEEP, counts=not shown, spool=spool),
            sender,
            self._count,
            self._answered,
        )
        spool = open_spool(options.spool, "apitally-log", account)
        self._logs: Final = Lane(
            Kind(signal="log", interval=self._interval, keep=KEEP, pack=self._pack, spool=spool),
            sender,
            self._log,
            self._log_answered,
        )

    @property
    def lanes(self) -> Sequence[Lane]:
        """Give all lanes, the heartbeat's first."""
        return (
            (self._heart, self._introduction, self._logs)
            if self._options.request_logs
            else (self._heart, self._introduction)
        )

    def started(self, startup: AppStartup) -> None:
        """Take what is known of the app now."""
        with self._lock:
            self._startup = startup
        self._introduction.hurry()

    def take(self, exchange: Exchange, lines: Sequence[LogLine] = ()) -> bool:
        """Count an exchange, and translate it where it becomes a request log. May raise."""
        if self._is_suspended():
            health.count("dropped", EXPORTER, "suspended")
            return False
        self._tally.add(exchange)
        if not self._options.request_logs or not self._selection.wants(exchange):
            return True
        if monotonic() < self._quota_until:
            health.count("dropped", EXPORTER, "quota")
            return False
        if self._lines.put((exchange, lines), size_of(exchange) + size_of_lines(lines)):
            self._logs.hurry()
        return True

    def give_up(self) -> None:
        """Count the request logs that are left."""
        self._lines.give_up()

    def closed(self) -> None:
        """Give the instance's slot back."""
        self._instance.release()

    def _interval(self) -> float:
        return OFTEN if monotonic() - self._began < _YOUNG else SELDOM

    def _is_suspended(self) -> bool:
        return monotonic() < self._suspended_until

    # -- what the lanes collect ------------------------------------------------------------

    def _introduce(self) -> Iterator[Load]:
        with self._lock:
            startup = self._startup
        if startup != self._told and not self._is_suspended():
            self._told = startup
            body = startup_message(self._instance.id, startup, self._options)
            yield Load(Parcel("/startup", body, count=0))

    def _count(self) -> Iterator[Load]:
        counted, notes = self._tally.take_requests(), self._tally.take_notes()
        if self._is_suspended():
            if counted.exchanges:
                health.count("dropped", EXPORTER, "sync_suspended", counted.exchanges)
        else:
            body = sync_message(self._instance.id, counted, notes, self._work.share())
            yield Load(Parcel("/sync", body, count=counted.exchanges))

    def _log(self) -> Iterator[Load]:
        return self._lines.take(self._pack)

    def _line(self, logged: Logged) -> tuple[bytes]:
        exchange, lines = logged
        return (log_line(exchange, self._options, self._masks, lines),)

    @staticmethod
    def _pack(lines: Sequence[bytes], like: Parcel | None = None) -> Parcel:  # noqa: ARG004
        # The id is that of these lines: it stays the same when they are sent again.
        body = b"\n".join((*lines, b""))
        identity = UUID(bytes=sha256(body).digest()[:16], version=4)
        return Parcel(f"/log?uuid={identity}", body, headers=(), count=len(lines), packed=True)

    # -- what the hub answers ----------------------------------------------------------------

    def _answered(self, answer: Answer) -> None:
        if answer.status == _NOT_FOUND:
            self._suspended_until = monotonic() + KEEP
            self._told = None
            for lane in self.lanes:
                lane.drop("suspended")
            self._give_up_lines("suspended")

    def _log_answered(self, answer: Answer) -> None:
        self._answered(answer)
        asked = answer.headers.get("retry-after", "").strip()
        if answer.status == _PAYMENT and asked.isascii() and asked.isdigit():
            self._quota_until = monotonic() + float(asked[:9])
            _guard.warn_once(
                "apitally.quota",
                "Apitally takes no more request logs for %s seconds: the plan's quota is used up."
                " Requests are counted there as before.",
                asked[:9],
            )
            self._give_up_lines("quota")

    def _give_up_lines(self, reason: str) -> None:
        if number := self._lines.clear():
            health.count("dropped", EXPORTER, reason, number)
