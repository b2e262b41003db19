"""The app that a server imports: `tests.frameworks.cases.served:app`.

CASES_FRAMEWORK   one of `FRAMEWORKS`
CASES_RECORDS     a file for the records; without it the app is served without us
"""

from __future__ import annotations

import os
import time
from typing import Any

from tests.frameworks.cases.apps.answers import clock

# Before anything of ours takes hold of it: a row sets the clock of this process back.
time.time_ns = clock

from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402

from tests.frameworks.cases.apps import OPTIONS, build, instrument  # noqa: E402
from tests.frameworks.cases.recorded import FileSpanExporter  # noqa: E402


class Down:
    """A backend that cannot be reached."""

    def export(self, spans: Any) -> Any:
        raise ConnectionRefusedError("nobody listens")

    def shutdown(self) -> None:
        pass


def _make() -> Any:
    framework, records = os.environ["CASES_FRAMEWORK"], os.environ.get("CASES_RECORDS")
    app = build(framework)
    if not records:
        return app
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(records)))
    return instrument(
        app,
        framework,
        **OPTIONS,
        tracer_provider=provider,
        meter_provider=MeterProvider(shutdown_on_exit=False),
        exporters=[Down()],
    )


app = _make()
