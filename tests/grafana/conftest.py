"""A shop that has served requests under a Prometheus."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.grafana.prometheus_server import Prometheus, prometheus
from tests.grafana.traffic import EACH_ROUND, send_round
from tests.ports import free_port
from tests.servers.serving import environment, serving

ROUNDS = 4


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Two instances have served; one was ended and began anew, the other was ended."""
    folder = tmp_path_factory.mktemp("grafana")
    staying, ending = ports = free_port(), free_port()

    def shop(port: int):
        app = [sys.executable, "-m", "uvicorn", "tests.grafana.app:app"]
        command = [*app, "--port", str(port), "--log-level", "critical"]
        return serving(command, folder / f"{port}.log", environment(), port=port)

    with prometheus(folder, "shop", ports) as server, ExitStack() as until_the_end:
        with shop(staying), shop(ending):
            for number in range(1, ROUNDS + 1):
                for port in ports:
                    send_round(port)
                seen(server, number * EACH_ROUND, *ports)
        server.wait("sum(up)", lambda values: values == [0])
        until_the_end.enter_context(shop(staying))
        for number in range(1, ROUNDS + 1):
            send_round(staying)
            seen(server, number * EACH_ROUND, staying)
        yield server


def seen(server: Prometheus, number: int, *ports: int) -> None:
    """Wait until so many requests to each were scraped."""
    wanted = "|".join(f"127.0.0.1:{port}" for port in ports)
    query = f'sum by (instance) (apimetrics_requests_total{{instance=~"{wanted}"}})'
    server.wait(query, lambda values: values == [number] * len(ports))
