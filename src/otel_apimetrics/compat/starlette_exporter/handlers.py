"""Endpoints that show the metrics of prometheus_client's registry, ours among them."""

import prometheus_client
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response

from otel_apimetrics.api import skip_request
from otel_apimetrics.prometheus.homes import home_of
from otel_apimetrics.prometheus.page import RegistryPage


def handle_metrics(request: Request) -> Response:  # noqa: ARG001  what a route calls
    """Show the metrics as text."""
    with _page().collected() as registry:
        body = generate_latest(registry)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def handle_openmetrics(request: Request) -> Response:  # noqa: ARG001  what a route calls
    """Show the metrics in OpenMetrics' format, which has exemplars."""
    with _page().collected() as registry:
        body: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
    return Response(body, headers={"Content-Type": openmetrics.CONTENT_TYPE_LATEST})


def _page() -> RegistryPage:
    skip_request()
    # Looked up now, because tests replace it.
    registry = prometheus_client.REGISTRY
    return RegistryPage(registry, home_of(registry).measures.reader)
