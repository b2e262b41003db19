"""Names of the metrics that `PrometheusMiddleware(optional_metrics=...)` adds."""

from otel_apimetrics.prometheus.asgi_starlette_metrics import REQUEST_BODY, RESPONSE_BODY

response_body_size = RESPONSE_BODY
request_body_size = REQUEST_BODY
all_metrics = [response_body_size, request_body_size]
