"""What the same apps show of the same requests, with either package.

python -m tests.compat.starlette_exporter.scenarios MODULE

prints by scenario what each scrape shows. Imports nothing of ours: the environment of the package
itself runs it too.
"""

import json
import sys
from importlib import import_module

from prometheus_client import REGISTRY
from starlette.requests import Request

from tests.compat.asgi_apps import FAST, STAR, ask, ask_all, fast_app, scraped, star_app

SCENARIOS = {}


def exposed(module, app, **options):
    """Measure an app, and show what was measured in both formats."""
    app.add_middleware(module.PrometheusMiddleware, **options)
    app.add_route("/metrics", module.handle_metrics)
    app.add_route("/open", module.handle_openmetrics)
    return app


def with_options(make=fast_app, requests=FAST, options=lambda _module: {}):
    """Give a scenario of the metrics with options."""

    def run(module):
        app = exposed(module, make(), **options(module))
        first = scraped(app)
        ask_all(app, *requests)
        ask(app, "POST", "/items/1", {"content-type": "application/json"}, b'{"a": 1}')
        ask(app, "POST", "/sync", {"x-user": "frank", "content-length": "5"})
        return [first, scraped(app), scraped(app, "/open")]

    return run


def of_path(request: Request):
    """Give a label."""
    return request.url.path.count("/")


async def of_length(request):
    """Give a label, as a coroutine."""
    return request.headers.get("content-length", "0")


def labelled(module):
    """Labels of each kind."""
    return {
        "labels": {
            "static": 1,
            "slashes": of_path,
            "length": of_length,
            "user": module.from_header("X-User", allowed_values=("frank", "estelle")),
            "agent": module.from_header("User-Agent"),
            "kind": module.from_response_header("X-Kind", allowed_values=("view",), default="none"),
            "type": module.from_response_header("content-type"),
        }
    }


def of_trace():
    """Give the labels of an exemplar."""
    return {"trace_id": "abc"}


def plain(**options):
    """Give options that no names of the package are in."""
    return lambda _module: options


SIZES = ["response_body_size", "request_body_size"]
ENDPOINTS = ["/metrics", "/open"]
"""Whose sizes are those of times."""
SCENARIOS |= {
    "the_defaults": with_options(),
    "starlette": with_options(star_app, STAR),
    "paths_apart": with_options(options=plain(group_paths=False)),
    "unhandled_too": with_options(options=plain(filter_unhandled_paths=False)),
    "unhandled_and_paths_apart": with_options(
        options=plain(filter_unhandled_paths=False, group_paths=False)
    ),
    "unhandled_grouped": with_options(
        options=plain(group_unhandled_paths=True, filter_unhandled_paths=False)
    ),
    "skipped": with_options(
        options=plain(skip_paths=["/items/.*", "/metrics", "/r"], skip_methods=["OPTIONS"])
    ),
    "names_and_buckets": with_options(
        options=plain(prefix="shop", app_name="orders", buckets=(1, 2.5))
    ),
    "sizes": with_options(options=plain(optional_metrics=SIZES, skip_paths=ENDPOINTS)),
    "labels": with_options(star_app, STAR, labelled),
    "exemplars": with_options(
        options=plain(exemplars=of_trace, optional_metrics=SIZES, skip_paths=ENDPOINTS)
    ),
}


def main(name):
    """Run all."""
    module = import_module(name)
    found = {}
    for each, run in SCENARIOS.items():
        for collector in list(REGISTRY._collector_to_names):
            REGISTRY.unregister(collector)
        getattr(module.PrometheusMiddleware, "_metrics", {}).clear()
        found[each] = run(module)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
