"""The fronts for ASGI behind servers of several processes: exact sums, whoever is killed."""

import os
from pathlib import Path

import pytest

from tests.compat.prometheus_flask_exporter.test_workers import REQUESTS, Served, total
from tests.servers.serving import BIN, environment, serving

pytestmark = pytest.mark.e2e

APPS = Path(__file__).parent / "apps"
COMMANDS = {
    "uvicorn": [BIN / "uvicorn", "--port", "{port}", "--workers", "2", "many_asgi:app"],
    "gunicorn-preload": [
        BIN / "gunicorn", "--bind", "127.0.0.1:{port}", "-w", "2", "-k", "asgi", "--preload",
        "many_asgi:app",
    ],
}  # fmt: skip


@pytest.mark.parametrize("path", ["/metrics", "/also"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_scrape_of_any_worker_shows_the_sum_of_all(command, path, tmp_path):
    metrics = tmp_path / "metrics"
    metrics.mkdir(0o700)
    env = environment(PROMETHEUS_MULTIPROC_DIR=str(metrics))
    env["PYTHONPATH"] += os.pathsep + str(APPS)
    with serving(command, tmp_path / "log", env, directory=APPS) as process:
        app = Served(process, f"http://127.0.0.1:{process.port}{path}")
        workers = app.ask(REQUESTS)
        text = app.until_it_shows("http_requests_total", REQUESTS)
        assert total(text, "starlette_requests_total") == REQUESTS
        assert total(text, "http_requests_inprogress") == 0
        app.lose(workers.pop())
        assert total(app.scrape(), "http_requests_total") == REQUESTS
        app.ask(REQUESTS)
        app.until_it_shows("starlette_requests_total", 2 * REQUESTS)
