"""The packages for ASGI and ours show the same of the same requests, but for values of time."""

import functools
import sys

import pytest

from tests.compat.beside import ROOT, run, timeless
from tests.compat.prometheus_fastapi_instrumentator import scenarios as instrumentator
from tests.compat.starlette_exporter import scenarios as exporter
from tests.components import VENDORS

pytestmark = [pytest.mark.e2e, pytest.mark.needs("vendors")]
SCENARIOS = {
    "prometheus_fastapi_instrumentator": instrumentator.SCENARIOS,
    "starlette_exporter": exporter.SCENARIOS,
}


@functools.cache
def told(package):
    """What the package and ours show, by scenario."""
    module = f"tests.compat.{package}.scenarios"
    theirs = run(VENDORS, module, package)
    return theirs, run(sys.executable, module, f"otel_apimetrics.compat.{package}", ROOT / "src")


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package, names in SCENARIOS.items() for name in names]
)
def test_what_is_shown_is_the_same_but_for_values_of_time(package, name):
    theirs, ours = (
        [[status, kind, *timeless(text)] for status, kind, text in each[name]]
        for each in told(package)
    )
    assert ours == theirs
    assert sum(map(len, ours)) > 20
