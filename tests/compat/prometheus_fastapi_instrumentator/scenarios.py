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


SCENARIOS |= {
    "the_defaults": with_options(),
    "starlette": with_options(star_app, STAR),
    "single_status_codes": with_options(should_group_status_codes=False),
    "untemplated_apart": with_options(should_group_untemplated=False),
    "untemplated_ignored": with_options(should_ignore_untemplated=True),
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


def main(name):
    """Run all."""
    module = import_module(name)
    found = {}
    for each, run in SCENARIOS.items():
        registry = prometheus_client.CollectorRegistry(auto_describe=True)
        found[each] = run(module, registry)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
