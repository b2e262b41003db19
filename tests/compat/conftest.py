"""A registry of one's own in each test."""

import prometheus_client
import pytest


@pytest.fixture
def registry(monkeypatch):
    """The registry that prometheus_client calls its own, empty."""
    made = prometheus_client.CollectorRegistry(auto_describe=True)
    monkeypatch.setattr(prometheus_client, "REGISTRY", made)
    return made


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir", "DEBUG_METRICS"):
        monkeypatch.delenv(name, raising=False)
