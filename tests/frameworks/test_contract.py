"""Every HTTP case in every framework, in-process."""

import gc
import logging

import pytest

from tests.frameworks import contract
from tests.frameworks.cases import FRAMEWORKS, Row, rows_for
from tests.telemetry import Telemetry

CELLS = [
    pytest.param(framework, row, id=f"{framework}-{row.case}-{row.name}")
    for framework in FRAMEWORKS
    for row in rows_for(framework, on="in-process")
]


pytestmark = [
    pytest.mark.usefixtures("django_of_the_cases"),
    # Django's of its files, Werkzeug's of ranges, and Django's ASGI handler's of its bodies: all
    # of them without us too.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore:unclosed file .*file.txt:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.Spooled:ResourceWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def collected():
    """Collect here what is left in cycles, not in somebody else's test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def telemetry():
    """One for all rows: making providers takes longer than a row."""
    made = Telemetry()
    yield made
    made.tracer_provider.shutdown()
    made.meter_provider.shutdown()


@pytest.fixture(autouse=True)
def quiet(caplog):
    for name in ("django.request", "asyncio"):
        caplog.set_level(logging.CRITICAL, name)


@pytest.mark.parametrize(("framework", "row"), CELLS)
def test_app_and_server_see_the_same_with_us_and_one_record_is_made(
    framework: str, row: Row, telemetry: Telemetry, record_property
):
    record_property("framework", framework)
    record_property("case", row.case)
    contract.hold(framework, row, telemetry)
