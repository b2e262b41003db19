"""The behaviour suite that every framework runs: each row with us and without, in-process.

Without us means that nothing of ours is installed: the app without us is called first.
"""

from __future__ import annotations

from functools import cache
from itertools import zip_longest
from typing import Any

from otel_apimetrics import ApiMetricsInstrumentor
from tests.frameworks.cases import Row
from tests.frameworks.cases.apps import OPTIONS, answers, build, forget, instrument
from tests.frameworks.cases.in_process import Served, serve
from tests.frameworks.cases.recorded import check, describe
from tests.instrumented import switch_off
from tests.telemetry import Telemetry


@cache
def app_of(framework: str) -> Any:
    """The app of a framework, one a process."""
    return build(framework)


def serve_both(
    framework: str, row: Row, telemetry: Telemetry, **options: Any
) -> tuple[list[Served], list[Served]]:
    """Do a row without us and with us."""
    app = app_of(framework)
    twice = any(request.target.startswith("/twice/") for request in row.requests)
    options = {**OPTIONS, **telemetry.providers, **options}
    without = serve(app, framework, row)
    instrumentor = ApiMetricsInstrumentor()
    try:
        ours = instrument(app, framework, twice=twice, **options)
        with_us = serve(ours, framework, row)
    finally:
        switch_off(instrumentor)
        forget()
        answers.clock.behind_ns = 0
    return without, with_us


def same(without: list[Served], with_us: list[Served]) -> None:
    """Fail where the server or the app could tell that we are there."""
    for one, other in zip(without, with_us, strict=True):
        for seen, wanted in zip_longest(other.events, one.events):
            assert seen == wanted
        assert type(other.error) is type(one.error)
        assert other.body == one.body


def hold(framework: str, row: Row, telemetry: Telemetry) -> None:
    """Fail where a row differs with us, or where its records are not what it says."""
    telemetry.exporter.clear()
    before = telemetry.total()
    without, with_us = serve_both(framework, row, telemetry)
    same(without, with_us)
    check(row, framework, with_us, map(describe, telemetry.server_spans))
    wanted = sum(record is not None for record in row.records)
    assert telemetry.total() - before == wanted
