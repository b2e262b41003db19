"""Gunicorn's hooks, as prometheus-flask-exporter describes them."""

import os
from typing import Any

from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornPrometheusMetrics,
)


def when_ready(_server: Any) -> None:
    port = int(os.environ["METRICS_PORT"])
    GunicornPrometheusMetrics.start_http_server_when_ready(port, "127.0.0.1")


def child_exit(_server: Any, worker: Any) -> None:
    GunicornPrometheusMetrics.mark_process_dead_on_child_exit(worker.pid)
