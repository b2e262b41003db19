"""Several ASGI apps of one process, whose directory shows them as one."""

import re

import pytest
from prometheus_client import CollectorRegistry

from otel_apimetrics.compat.prometheus_fastapi_instrumentator import Instrumentator
from otel_apimetrics.compat.starlette_exporter import PrometheusMiddleware, handle_metrics
from tests.compat.asgi_apps import ask_all, fast_app, scraped


def instrumented(app, registry):
    Instrumentator(registry=registry).instrument(app).expose(app)


def exported(app, registry):
    app.add_middleware(PrometheusMiddleware, registry=registry)
    app.add_route("/metrics", handle_metrics)


@pytest.mark.parametrize("measure", [instrumented, exported])
def test_apps_with_registries_of_their_own_add_up(measure, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    apps = []
    for times in (3, 1):
        app = fast_app()
        measure(app, CollectorRegistry())
        ask_all(app, *["/items/1"] * times)
        apps.append(app)
    for app in apps:
        _, _, text = scraped(app)
        found = re.findall(r"^\w*requests_total\{.*/items/\{item\}.*\} (\S+)$", text, re.MULTILINE)
        assert found == ["4.0"]
