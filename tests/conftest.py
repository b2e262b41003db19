"""Fixtures that every test gets or may ask for."""

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import settings
from opentelemetry import context

from otel_apimetrics import ApiMetricsInstrumentor, _guard, forked, metrics, open_requests
from otel_apimetrics.exporters.closing import queues
from tests import components
from tests.contract_report import pytest_runtest_logreport, pytest_sessionfinish
from tests.instrumented import switch_off
from tests.telemetry import Telemetry

__all__ = ["pytest_runtest_logreport", "pytest_sessionfinish"]

CONTRIB = "opentelemetry.instrumentation.flask"
"""Absent where the newest SDK is tested, which contrib may not allow yet."""

# These are about contrib beside us.
collect_ignore = [] if find_spec(CONTRIB) else ["one_span", "test_promises.py"]

# These are about popular extensions beside us, which only the newest environment has.
if find_spec("whitenoise") is None:
    collect_ignore.append("extensions")

# uvicorn ends workers that need longer than five seconds to start, as on a busy machine.
os.environ.setdefault("UVICORN_TIMEOUT_WORKER_HEALTHCHECK", "120")

# A shell ignores it for what it runs in the background, and so would every server that we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that does something else as well is no failure. `make search` looks for new examples;
# the gate tries the same ones each time, so that a change fails for what it changed.
settings.register_profile("patient", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("EXAMPLES", "gate" if os.environ.get("CI") else "patient"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need what is not here."""
    components.deselect(config, items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail them instead, under CI."""
    components.require(item)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was left out, and what would bring it in."""
    for line in components.report(config):
        terminalreporter.write_line(line, yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Leave out the single tests elsewhere that import contrib, where it is absent."""
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if find_spec(CONTRIB) is None and str(error.name).startswith("opentelemetry.instrument"):
            pytest.skip("contrib's instrumentations are not installed beside this SDK")
        raise


@pytest.fixture(autouse=True)
def no_late_deliveries() -> Iterator[None]:
    """Close the queues that a test has left: what they hand on later is counted in another."""
    before = set(queues)
    yield
    for each in set(queues) - before:
        each.close(timeout=1.0)
        if (thread := each._thread) is not None:  # in the middle of an attempt, which soon ends
            thread.join(30.0)


@pytest.fixture(autouse=True)
def no_swallowed_errors(
    request: pytest.FixtureRequest,
    no_late_deliveries: None,  # what is swallowed where queues are closed is no failure
) -> Iterator[list[tuple[str, BaseException]]]:
    """Make every error that the plugin swallows a failure of the test that caused it."""
    swallowed: list[tuple[str, BaseException]] = []

    def observe(place: str, error: BaseException) -> None:
        swallowed.append((place, error))

    _guard.forget()
    _guard.observers.append(observe)
    yield swallowed
    _guard.observers.remove(observe)
    _guard.forget()
    if swallowed and not request.node.get_closest_marker("swallows_errors"):
        place, error = swallowed[0]
        raise AssertionError(f"{len(swallowed)} errors were swallowed, first at {place}") from error


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a developer's shell may say to OpenTelemetry."""
    import os

    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def clean_context() -> Iterator[None]:
    """Fail a test that leaves a request or a span current in its thread."""
    before = context.get_current()
    yield
    request, after = open_requests.current.get(), context.get_current()
    open_requests.current.set(None)
    context.attach(before)  # one test's leak is not the next one's failure
    assert request is None
    assert after == before


@pytest.fixture(autouse=True)
def nobody_told() -> Iterator[None]:
    """Tell nothing to the readers that a test has left, in later ones."""
    told = (metrics.recorded, forked.at_begin)
    before = [list(each) for each in told]
    yield
    for each, those in zip(told, before, strict=True):
        each[:] = [one for one in each if one in those]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Private providers with in-memory exporters."""
    made = Telemetry()
    yield made
    made.tracer_provider.shutdown()
    made.meter_provider.shutdown()


@pytest.fixture
def instrumentor() -> Iterator[ApiMetricsInstrumentor]:
    """The process's instrumentor, off again after the test."""
    made = ApiMetricsInstrumentor()
    yield made
    switch_off(made)
