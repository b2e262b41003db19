"""The exporter as its entry point makes it: by name, with the environment's options."""

from collections.abc import Sequence
from typing import ClassVar

from otel_apimetrics.exporters.apitally.exporter import ApitallySpanExporter
from otel_apimetrics.exporters.apitally.lane import EXPORTER
from otel_apimetrics.exporters.quiet import ByName


class ApitallyByName(ByName, ApitallySpanExporter):
    """Is off, with one log line, where its options are not accepted."""

    name: ClassVar[str] = EXPORTER

    def start(self) -> None:
        """Begin the heartbeat, unless it is off."""
        if not self.disabled:
            super().start()

    def app_started(self, framework: str, routes: Sequence[str]) -> None:
        """Take what is known of an app, unless it is off."""
        if not self.disabled:
            super().app_started(framework, routes)
