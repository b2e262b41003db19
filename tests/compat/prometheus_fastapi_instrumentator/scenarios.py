"""What the same apps show of the same requests, with either package.

python -m tests.compat.prometheus_fastapi_instrumentator.scenarios MODULE

prints by scenario what each scrape shows. Imports nothing of ours: the environment of the package
itself runs it too.
"""

import json
import sys
from importlib import import_module

import prometheus_client

from tests.compat.asgi_apps import FAST, STAR, ask, ask_all, fast_app, scraped, star_app

SCENARIOS = {}


def scenario(function):
    """Note a scenario."""
    SCENARIOS[function.__name__] = function
    return function


def with_options(make=fast_app, requests=FAST, instrument=None, **options):
    """Give a scenario of the default metrics with options."""

    def run(module, registry):
        app = make()
        made = module.Instrumentator(registry=registry, **options)
        made.instrument(app, **(instrument or {})).expose(app)
        ask_all(app, *requests)
        ask(app, "POST", "/items/1", {"content-type": "application/json"}, b'{"a": 1}')
        ask(app, "GET", "/items/1", {"content-length": "7"})
        return [scraped(app), scraped(app)]

    return run


def rooted_app():
    """Make an app below a path."""
    app = fast_app()
    app.root_path = "/api/v1"
    return app


SCENARIOS |= {
    "the_defaults": with_options(),
    "starlette": with_options(star_app, STAR),
    "single_status_codes": with_options(should_group_status_codes=False),
    "untemplated_apart": with_options(should_group_untemplated=False),
    "untemplated_ignored": with_options(should_ignore_untemplated=True),
    "in_progress": with_options(should_instrument_requests_inprogress=True, inprogress_labels=True),
    "without_streaming": with_options(should_exclude_streaming_duration=True),
    "root_path": with_options(make=rooted_app, should_include_root_path=True),
    "excluded_handlers": with_options(excluded_handlers=["/items", "^/r/", "metrics", "nowhere"]),
    "names_and_buckets": with_options(
        instrument={
            "metric_namespace": "shop",
            "metric_subsystem": "api",
            "should_only_respect_2xx_for_highr": True,
            "latency_highr_buckets": (1, 2, float("inf")),
            "latency_lowr_buckets": (0.5,),
        }
    ),
}


@scenario
def ready_made_metrics(module, registry):
    app = fast_app()
    made = module.Instrumentator(body_handlers=["/stream", "/items"], registry=registry)
    metrics = module.metrics
    made.add(
        metrics.latency(buckets=(7, 8), registry=registry),
        metrics.request_size(should_include_status=False, registry=registry),
        metrics.response_size(should_include_handler=False, registry=registry),
        metrics.combined_size(metric_namespace="a", metric_subsystem="b", registry=registry),
        metrics.requests(metric_name="all", metric_doc="All", registry=registry),
        metrics.requests(
            metric_name="bare",
            should_include_handler=False,
            should_include_method=False,
            should_include_status=False,
            registry=registry,
        ),
    )
    made.instrument(app).expose(app, endpoint="/m", include_in_schema=False)
    ask_all(app, *FAST)
    ask(app, "POST", "/items/1", {"content-type": "application/json"}, b'{"a": 1}')
    return [scraped(app, "/m")]


@scenario
def what_functions_are_told(module, registry):
    told = []
    app = fast_app()

    def sync(info):
        answer = info.response
        told.append([info.method, info.modified_handler, info.modified_status])
        told.append([info.request.url.path, answer.status_code, sorted(answer.headers.items())])
        told.append([answer.body.decode(), info.modified_duration_without_streaming > 0])

    async def awaited(info):
        told.append([info.modified_duration >= info.modified_duration_without_streaming])

    made = module.Instrumentator(body_handlers=["stream|items"], registry=registry)
    made.add(sync, awaited).instrument(app)
    ask_all(app, *FAST)
    return [[0, "", json.dumps(one)] for one in told]


def main(name):
    """Run all."""
    module = import_module(name)
    found = {}
    for each, run in SCENARIOS.items():
        # Upstream has a gauge in the global registry whatever it is given.
        registry = prometheus_client.REGISTRY
        for collector in list(registry._collector_to_names):
            registry.unregister(collector)
        found[each] = run(module, registry)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
