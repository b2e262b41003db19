"""A shop that has served requests under a Prometheus, scraped itself or behind a Collector."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.collector_process import CollectorProcess, collector
from tests.grafana.prometheus_server import Prometheus, prometheus
from tests.grafana.traffic import EACH_ROUND, send_round
from tests.ports import free_port
from tests.servers.serving import Process, environment, serving

__all__ = ["collector"]

ROUNDS = 4


def shop(folder: Path, port: int, **variables: str) -> AbstractContextManager[Process]:
    app = [sys.executable, "-m", "uvicorn", "tests.grafana.app:app"]
    command = [*app, "--port", str(port), "--log-level", "critical"]
    return serving(command, folder / f"{port}.log", environment(**variables), port=port)


def seen(server: Prometheus, *numbers: int) -> None:
    """Wait until so many requests were scraped of each instance."""
    query = "sum by (instance) (apimetrics_requests_total)"
    server.wait(query, lambda values: sorted(values) == sorted(numbers))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Two instances have served; one was ended and began anew, the other was ended."""
    folder = tmp_path_factory.mktemp("grafana")
    staying, ending = ports = free_port(), free_port()
    scraped = {
        "job_name": "shop",
        "metrics_path": "/metrics/",
        "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
    }
    with prometheus(folder, scraped) as server, ExitStack() as until_the_end:
        with shop(folder, staying), shop(folder, ending):
            for number in range(1, ROUNDS + 1):
                for port in ports:
                    send_round(port)
                seen(server, number * EACH_ROUND, number * EACH_ROUND)
        server.wait("sum(up)", lambda values: values == [0])
        until_the_end.enter_context(shop(folder, staying))
        for number in range(1, ROUNDS + 1):
            send_round(staying)
            seen(server, number * EACH_ROUND)
        yield server


@pytest.fixture(scope="module")
def behind_a_collector(
    tmp_path_factory: pytest.TempPathFactory, collector: CollectorProcess
) -> Iterator[Prometheus]:
    """One instance has served, and pushed to a Collector, which Prometheus scrapes."""
    folder = tmp_path_factory.mktemp("grafana")
    address = collector.prometheus_url.removeprefix("http://").removesuffix("/metrics")
    scraped = {
        "job_name": "collector",
        "honor_labels": True,
        "static_configs": [{"targets": [address]}],
    }
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint}
    port = free_port()
    with prometheus(folder, scraped) as server, shop(folder, port, **endpoint):
        for number in range(1, ROUNDS + 1):
            send_round(port)
            seen(server, number * EACH_ROUND)
        yield server
