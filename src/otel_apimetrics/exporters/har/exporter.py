"""Writes exchanges into a HAR file, to be opened in a browser's network panel."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_apimetrics import _guard, health
from otel_apimetrics.config import ConfigError
from otel_apimetrics.config.given import Given
from otel_apimetrics.decoding import decode
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.directories import tell_denied
from otel_apimetrics.exporters.har.entry import Entry, entry_of
from otel_apimetrics.exporters.har.file import HarFile
from otel_apimetrics.exporters.json_bytes import json_bytes
from otel_apimetrics.exporters.needs import Needs
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.settings import REQUIRED, Setting, read_settings, whole

_MEGABYTE: Final = 1024 * 1024


def _path(given: Given) -> Path:
    if not isinstance(given.value, (str, Path)) or not Path(given.value).name:
        raise given.refuse("use the path of a file, such as traffic.har")
    return Path(given.value).expanduser()


SETTINGS: Final = {
    "path": Setting(_path, REQUIRED),
    "most_bytes": Setting(whole(1_024, 1024 * _MEGABYTE), 4 * _MEGABYTE),
}


class HarFileExporter(SpanExporter):
    """Appends each exchange to a file, redacted. For development.

    Args:
        options: `path` of the file (`OTEL_EXPORTER_HAR_PATH`), and `most_bytes`
            (`OTEL_EXPORTER_HAR_MOST_BYTES`, 4 MiB) from which on a file is put aside under a
            number.

    Raises:
        ConfigError: an option is unknown, missing or wrong, or the file cannot be written.
    """

    name: ClassVar[str] = "har"
    needs: ClassVar[Needs] = Needs(bodies=True, headers=True)
    counts_itself: ClassVar[bool] = True

    def __init__(self, **options: Any) -> None:
        found = read_settings(self.name, SETTINGS, options)
        self._file: Final = HarFile(found["path"], found["most_bytes"])
        try:
            self._file.begin()
        except ImportError as error:
            raise ConfigError("The exporter har needs locks on files, of Unix.") from error
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"path={str(found['path'])!r} is not accepted: use a new file in a directory that"
                f" can be written to ({error})."
            ) from error

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write what ended spans tell of. Never raises."""
        try:
            found = [exchange for span in spans if (exchange := decode(span)) is not None]
        except Exception as error:
            _guard.swallow("exporter.har", error)
            return SpanExportResult.FAILURE
        taken = self.export_exchanges(found)
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def export_exchanges(
        self,
        exchanges: Sequence[Exchange],
        patience: Patience | None = None,
    ) -> bool:
        """Write exchanges. Never raises.

        Args:
            exchanges: redacted.
            patience: how long another process that writes may keep it waiting, ten seconds at
                most.

        Returns:
            True where all are in the file, but for what could not be translated.
        """
        entries = [entry for each in exchanges if (entry := _written(each)) is not None]
        if not entries:
            return True
        try:
            self._file.append(entries, patience)
        except Exception as error:
            if isinstance(error, PermissionError):
                tell_denied(self.name, "path", self._file.path.parent)
            else:
                _guard.swallow("exporter.har.file", error, reveal=True)
            health.count("failed", self.name, "unavailable", len(entries))
            return False
        health.count("sent", self.name, number=len(entries))
        return True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Nothing waits here."""
        return True

    def shutdown(self) -> None:
        """Nothing is open."""


def _written(exchange: Exchange) -> bytes | None:
    try:
        return json_bytes({**entry_of(exchange), **_ours(exchange)})
    except Exception as error:
        _guard.swallow("exporter.har.entry", error)
        health.count("dropped", HarFileExporter.name, "untranslatable")
        return None


def _ours(exchange: Exchange) -> Entry:
    """Give what HAR has no field for: names of one's own begin with an underscore there."""
    said: Entry = {"_id": exchange.id}
    if exchange.request.route is not None:
        said["_route"] = exchange.request.route
    if exchange.consumer is not None:
        said["_consumer"] = exchange.consumer.id
    if exchange.error is not None:
        said["_error"] = exchange.error
    if exchange.trace_id:
        said["_traceId"] = f"{exchange.trace_id:032x}"
    return said
