"""ReadMe's own middlewares (readme-metrics)."""

import os
from typing import Any


def _group(request: Any) -> dict[str, str]:
    consumer = request.headers.get("X-Consumer") or "anonymous"
    return {"api_key": consumer, "label": consumer, "email": f"{consumer}@example.com"}


def install(app: Any, framework: str, url: str) -> Any:
    from readme_metrics import MetricsApiConfig

    os.environ["README_METRICS_SERVER"] = url
    config = MetricsApiConfig(
        "key", _group, base_log_url="https://docs.example.com", buffer_length=1
    )
    if framework == "flask":
        from readme_metrics.flask_readme import ReadMeMetrics

        ReadMeMetrics(config).init_app(app)
    else:
        from readme_metrics.fastapi import ReadMeMetricsMiddleware

        app.add_middleware(ReadMeMetricsMiddleware, config=config)
    return app
