"""Lets one guarded statement after the other fail, and tells what came of it.

Runs in a process of its own, because the plugin is compiled anew: `driver.py RESULT`.
"""

import dataclasses
import functools
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.weaving import Point, all_points, weave

FAULTS = weave()

from opentelemetry import _logs, trace  # noqa: E402
from opentelemetry.sdk._logs import LoggerProvider  # noqa: E402
from opentelemetry.sdk._logs.export import (  # noqa: E402
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: E402

from otel_apimetrics import (  # noqa: E402
    ApiMetricsInstrumentor,
    RedactingSpanProcessor,
    _guard,
    ending,
    forked,
    open_requests,
)
from otel_apimetrics.content import buffer  # noqa: E402
from tests.faults.apps import CANARY  # noqa: E402
from tests.faults.traffic import SCENARIOS, Scenario  # noqa: E402
from tests.instrumented import switch_off  # noqa: E402
from tests.telemetry import Telemetry  # noqa: E402

LOG = io.StringIO()
LOGGED = InMemoryLogRecordExporter()
UNLOCKED = {"logs.attach"}
"""Where a lock cannot be put on a provider, others' records pass it as they are."""
FILE = """
file_format: "1.0"
instrumentation/development:
  python:
    apimetrics:
      capture_body: all
"""


class Exporter:
    """Takes spans."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.taken += [span.to_json() for span in spans]
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...


async def _nobody(_exchange: Any) -> None: ...


async def _somebody(exchange: Any) -> str:
    return "somebody"


async def _labels(exchange: Any) -> dict[str, str]:
    return {"by": "hook"}


async def _keep(exchange: Any) -> bool:
    return False


def options(scenario: Scenario, telemetry: Telemetry, exporter: Exporter) -> dict[str, Any]:
    """Everything on: what is off cannot fail."""
    hooks: dict[str, Any] = {
        "identify": [lambda _: None, lambda _: "somebody"],
        "label": lambda _: {"by": "hook"},
        "skip": lambda _: False,
    }
    if scenario.async_hooks:
        hooks = {
            "identify": [_nobody, _somebody],
            "label": _labels,
            "skip": _keep,
            "redaction": {"callback": lambda text, place: text},
        }
    return {
        **hooks,
        **telemetry.providers,
        "capture_body": "all",
        "capture_headers": "all",
        "metrics": "all",
        "metric_labels": ["plan", "by"],
        "environment": "test",
        # Looking for a name's entry point takes longer than serving.
        "exporters": [exporter, "console"] if scenario.globally else [exporter],
    }


@contextmanager
def instrumented(
    scenario: Scenario, telemetry: Telemetry, exporter: Exporter
) -> Iterator[Callable[[Any], Any]]:
    """Give what makes an app recorded."""
    instrumentor = ApiMetricsInstrumentor()
    chosen = options(scenario, telemetry, exporter)
    try:
        if scenario.globally:
            instrumentor.instrument(**chosen)
            yield lambda app: app
        else:
            yield lambda app: instrumentor.instrument_app(app, **chosen)
    finally:
        switch_off(instrumentor)


def make_app(scenario: Scenario, telemetry: Telemetry) -> Any:
    tracer = telemetry.tracer_provider.get_tracer("app")
    if scenario.native:
        native = {"tracer_provider": telemetry.tracer_provider}
        return functools.partial(scenario.make, telemetry=native)(tracer)
    return scenario.make(tracer)


def without_us(scenario: Scenario) -> list[Any]:
    return scenario.talk(make_app(scenario, Telemetry()))


def with_us(scenario: Scenario, point: str | None, message: str) -> tuple[list[Any], str]:
    """Serve a scenario while a point fails; give what servers saw, and all that left."""
    from otel_apimetrics.exporters.closing import close_all

    forget()
    telemetry, exporter = Telemetry(), Exporter()
    telemetry.tracer_provider.add_span_processor(RedactingSpanProcessor())
    FAULTS.failing, FAULTS.message = point, message
    try:
        with instrumented(scenario, telemetry, exporter) as make:
            seen = scenario.talk(make(make_app(scenario, telemetry)))
            close_all()
        metrics = repr(telemetry.reader.get_metrics_data())
    finally:
        FAULTS.failing = None
    left = [span.to_json() for span in telemetry.spans]
    left += [*exporter.taken, metrics]
    left += [repr(data.log_record.attributes) for data in LOGGED.get_finished_logs()]
    return seen, "".join(left)


def forget() -> None:
    """Begin as a new process would."""
    _guard.forget()
    ending._armed = forked._begun = 0
    LOG.seek(0)
    LOG.truncate()
    LOGGED.clear()
    FAULTS.passed.clear()
    FAULTS.raised = 0
    provider = _logs.get_logger_provider()
    provider._multi_log_record_processor._log_record_processors = provider.kept  # type: ignore[attr-defined]


def problems_of(point: Point, scenario: Scenario, expected: list[Any]) -> list[str]:
    """Let a point fail under a scenario, and list what should not have come of it."""
    message = "a message" if point.reveals else f"{CANARY} is in the message"
    found: list[str] = []
    try:
        seen, left = with_us(scenario, point.id, message)
    except BaseException as error:
        return [f"raised into the process: {error!r}"]
    for without, with_fault in zip(expected, seen, strict=True):
        if without != with_fault:
            found.append(f"another answer: {without} became {with_fault}")
    if not FAULTS.raised:
        found.append("not provoked")
    counted = _guard.counts()
    if FAULTS.raised and not (counted.get(point.place) if point.place else counted):
        found.append(f"not counted: {counted}")
    if CANARY in LOG.getvalue():
        found.append(f"raw in the log: {LOG.getvalue()}")
    if CANARY in left and point.place not in UNLOCKED:
        at = left.index(CANARY)
        found.append("raw in what left: " + left[max(at - 300, 0) : at + 100])
    return found + _traces()


def _traces() -> list[str]:
    found = []
    if open_requests.count():
        found.append(f"left open: {open_requests.count()}")
        open_requests._open.clear()
    if buffer.in_flight():
        found.append(f"left in flight: {buffer.in_flight()}")
        buffer.forget()
    if open_requests.current.get() is not None:
        found.append("left current: a recording")
        open_requests.current.set(None)
    if trace.get_current_span() is not trace.INVALID_SPAN:
        found.append("left current: a span")
    return found


def main(result: str) -> None:
    logging.getLogger("otel_apimetrics").addHandler(logging.StreamHandler(LOG))
    logging.getLogger().addHandler(logging.NullHandler())
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(LOGGED))
    provider.kept = provider._multi_log_record_processor._log_record_processors
    _logs.set_logger_provider(provider)
    points = {point.id: point for point in all_points()}
    problems: dict[str, list[str]] = {}
    places: set[str] = set()
    passed_by: dict[str, list[Scenario]] = {}
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "otel.yaml"
        file.write_text(FILE)
        expected = {scenario.name: without_us(scenario) for scenario in SCENARIOS}
        for scenario in SCENARIOS:
            os.environ["OTEL_CONFIG_FILE"] = str(file)
            seen, left = with_us(scenario, None, "")
            places |= _guard.counts().keys()
            if seen != expected[scenario.name] or CANARY in left or CANARY in LOG.getvalue():
                problems[f"{scenario.name}, no fault"] = [repr(seen), repr(expected[scenario.name])]
            for passed in FAULTS.passed:
                # The first of WSGI and the first of ASGI: all of them would take minutes.
                scenarios = passed_by.setdefault(passed, [])
                if all(other.asynchronous != scenario.asynchronous for other in scenarios):
                    scenarios.append(scenario)
        for passed, scenarios in sorted(passed_by.items()):
            # The SDK takes a second to read its file.
            if points[passed].place != "config.file":
                os.environ.pop("OTEL_CONFIG_FILE", None)
            else:
                os.environ["OTEL_CONFIG_FILE"] = str(file)
            for scenario in scenarios:
                found = problems_of(points[passed], scenario, expected[scenario.name])
                places |= _guard.counts().keys()
                if found:
                    problems[f"{passed} under {scenario.name}"] = found
    Path(result).write_text(
        json.dumps(
            {
                "problems": problems,
                "places": sorted(places),
                "passed": sorted(passed_by),
                "missed": [
                    dataclasses.asdict(point) | {"id": name}
                    for name, point in points.items()
                    if name not in passed_by
                ],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
