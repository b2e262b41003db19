"""Delivers to Metlo's collector."""

from collections.abc import Sequence
from contextvars import copy_context
from threading import Thread
from typing import Any, ClassVar, Final

from otel_apimetrics import _guard, health
from otel_apimetrics.config.values import body_size, choice, flag, text
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters import deployment
from otel_apimetrics.exporters.json_bytes import json_array, json_bytes
from otel_apimetrics.exporters.metlo.trace import UnwantedError, trace
from otel_apimetrics.exporters.needs import Needs
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.settings import (
    REQUIRED,
    Setting,
    certificate,
    directory,
    open_spool,
    read_settings,
    seconds,
    secret,
    url,
    whole,
)
from otel_apimetrics.exporters.vendor import VendorExporter

_JSON: Final = (("Content-Type", "application/json; charset=utf-8"),)
_PREFIX: Final = "/api/v1"
_KEY: Final = "look at OTEL_EXPORTER_METLO_API_KEY (api_key)"
_WAIT: Final = 3.0
"""Seconds that the check of the key may take."""
_MOST_WORKERS: Final = 32
SETTINGS: Final = {
    "host": Setting(url, REQUIRED),
    "api_key": Setting(secret, REQUIRED),
    "mode": Setting(choice("batch", "single"), "batch"),
    "workers": Setting(whole(1, _MOST_WORKERS), 4),
    "environment": Setting(text),
    "max_body_size": Setting(body_size, 64 * 1024),
    "disabled": Setting(flag, default=False),
    "timeout": Setting(seconds, 10.0),
    "certificate": Setting(certificate),
    "spool": Setting(directory),
}


class MetloSpanExporter(VendorExporter):
    """Sends each exchange as a trace to a collector of Metlo's, in its first, open protocol.

    Args:
        options: keywords, each with a variable `OTEL_EXPORTER_METLO_*`:

            - `host`: of the collector, `http[s]://host[:port][/path]`. Required.
            - `api_key`: made by Metlo. Required.
            - `mode`: "batch", or "single" for a collector that takes one trace a request.
            - `workers`: requests at a time in the mode "single".
            - `environment`: as Metlo shows it.
            - `max_body_size`: bytes of each body.
            - `disabled`: send nothing.
            - `timeout`: seconds that the collector may take to answer.
            - `certificate`: file (PEM) of the authorities that are trusted to know the collector.
            - `spool`: directory where batches wait for the collector to come back.

    Raises:
        ConfigError: an option is unknown, missing or not accepted.
    """

    name: ClassVar[str] = "metlo"
    most_bytes: ClassVar[int] = 1_900_000
    """The collector refuses 2 MB."""

    def __init__(self, **options: Any) -> None:
        chosen = read_settings(self.name, SETTINGS, options)
        host, key = chosen["host"], chosen["api_key"]
        sender = Sender(
            self.name,
            host,
            headers={"Authorization": key},
            timeout=chosen["timeout"],
            certificate=chosen["certificate"],
            remedies={401: _KEY, 404: "look at OTEL_EXPORTER_METLO_HOST (host) and its port"},
        )
        spool = open_spool(chosen["spool"], self.name, f"{host} {key}")
        super().__init__(sender, timeout=chosen["timeout"], spool=spool)
        self._own_environment: Final[str | None] = chosen["environment"]
        self._environment: Final = _of_the_plugin() or "production"
        self._max_body_size: Final[int] = chosen["max_body_size"]
        self.needs: Final = Needs(bodies=True, headers=True, max_body_size=self._max_body_size)
        self._workers: Final[int] = chosen["workers"] if chosen["mode"] == "single" else 1
        self._single: Final = chosen["mode"] == "single"
        self.most_events = 1 if self._single else VendorExporter.most_events
        self.disabled: bool = chosen["disabled"]
        self._verified = False

    def event(self, exchange: Exchange) -> bytes | None:
        """Give Metlo's trace; one that the collector refuses is left out and counted."""
        try:
            environment = self._own_environment or _of_the_plugin() or self._environment
            made = trace(exchange, environment=environment, max_body_size=self._max_body_size)
        except UnwantedError as unwanted:
            health.count("dropped", self.name, unwanted.reason)
            return None
        return json_bytes(made)

    def parcel(self, events: Sequence[bytes]) -> Parcel:
        """Put traces into one request."""
        if self._single:
            return Parcel(f"{_PREFIX}/log-request/single", events[0], _JSON)
        path = f"{_PREFIX}/log-request/batch"
        return Parcel(path, json_array(events), _JSON, count=len(events))

    def export_exchanges(
        self, exchanges: Sequence[Exchange], patience: Patience | None = None
    ) -> bool:
        """Deliver exchanges, unless it is disabled; see `VendorExporter`."""
        return self.disabled or super().export_exchanges(exchanges, patience)

    def again(self) -> float | None:
        """Give the seconds until it has something to do, unless it is disabled."""
        return None if self.disabled else super().again()

    def begin(self, patience: Patience) -> None:
        """Have the key looked at, the first time."""
        if not self._verified:
            self._verified = True
            self._verify(patience)

    def _deliver(self, exchanges: Sequence[Exchange], patience: Patience) -> bool:
        if self._workers == 1 or len(exchanges) == 1:
            return super()._deliver(exchanges, patience)
        return self._in_parallel(exchanges, patience)

    def _verify(self, patience: Patience) -> None:
        """Ask the collector once what it thinks of the key, so that a wrong one is told early."""
        answer = self._sender.fetch(f"{_PREFIX}/verify", patience.within(_WAIT))
        if answer.status is not None and not answer.taken:
            _guard.warn(
                "metlo.verify",
                "Metlo's collector at %s answered %d when it was asked about the key: %s.",
                self._sender.base_url,
                answer.status,
                "its address is wrong, or its port (8081, where nothing else was set)"
                if answer.status == 404  # noqa: PLR2004  RFC 9110 15.5.5
                else _KEY,
            )

    def _in_parallel(self, exchanges: Sequence[Exchange], patience: Patience) -> bool:
        shares = [exchanges[start :: self._workers] for start in range(self._workers)]
        results: list[bool] = []
        work = super()._deliver
        threads: list[Thread] = []
        for share in filter(None, shares[1:]):
            # In a copy of this context: what it counts belongs to the batch that is handed on.
            run = copy_context().run
            thread = Thread(
                target=lambda share=share, run=run: results.append(run(work, share, patience)),
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError:  # the interpreter ends
                results.append(work(share, patience))
            else:
                threads.append(thread)
        results.append(work(shares[0], patience))
        for thread in threads:
            thread.join()
        return all(results)


def _of_the_plugin() -> str | None:
    given = deployment.environment()
    return None if given is None else text(given)
