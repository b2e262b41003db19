from collections.abc import Iterator

import pytest

from otel_apimetrics import health
from otel_apimetrics.exporters import sender
from tests.exporters.sink import Sink, sink


@pytest.fixture(autouse=True)
def counters() -> Iterator[None]:
    health.forget()
    yield
    health.forget()


@pytest.fixture
def backend() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts that nobody has to wait for."""
    monkeypatch.setattr(sender, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(sender, "LONGEST_PAUSE", 0.05)
