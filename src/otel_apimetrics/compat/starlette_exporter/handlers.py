"""Endpoints that show what the `PrometheusMiddleware` around them measures with."""

from typing import Any

import prometheus_client
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response

from otel_apimetrics.api import skip_request
from otel_apimetrics.prometheus.asgi_starlette import SHOWN
from otel_apimetrics.prometheus.exposition import encoded
from otel_apimetrics.prometheus.homes import home_of
from otel_apimetrics.prometheus.page import RegistryPage


def handle_metrics(request: Request) -> Response:
    """Show the metrics as text.

    They are those of the middleware's `reader` or `registry`, of prometheus_client's registry by
    default and where there is no middleware.
    """
    return _shown(request, generate_latest, CONTENT_TYPE_LATEST)


def handle_openmetrics(request: Request) -> Response:
    """Show the metrics in OpenMetrics' format, which has exemplars."""
    return _shown(request, openmetrics.generate_latest, openmetrics.CONTENT_TYPE_LATEST)


def _shown(request: Request, encode: Any, content_type: str) -> Response:
    skip_request()
    registry, reader = request.scope.get(SHOWN) or (None, None)
    if reader is not None:
        scrape = reader.scrape(content_type)
        return Response(scrape.body, headers={"Content-Type": scrape.content_type})
    if registry is None:
        # Looked up now, because tests replace it.
        registry = prometheus_client.REGISTRY
    with RegistryPage(registry, home_of(registry).measures.reader).collected() as collected:
        body = encoded(encode, collected.collect())
    return Response(body, headers={"Content-Type": content_type})
