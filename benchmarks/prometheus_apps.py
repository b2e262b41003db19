"""Apps with the metrics of a package, or of its front here, served in a process of their own.

Imports nothing of ours: the environment of the packages themselves runs it too.
"""

import gc
import json
import sys
from collections.abc import Callable
from importlib import import_module
from time import thread_time
from typing import Any, Final

from benchmarks import prometheus_asgi

Serve = Callable[[int], None]


def flask(name: str, module: Any) -> Serve:
    """Make what serves a number of requests to an app of Flask."""
    from flask import Flask
    from prometheus_client import CollectorRegistry
    from werkzeug.test import EnvironBuilder

    app = Flask("shop")

    def view(item: str) -> str:
        return item

    if name != "bare":
        metrics = module.PrometheusMetrics(app, registry=CollectorRegistry())
        if name == "decorated":
            status = {"status": lambda response: response.status_code}
            view = metrics.counter("items", "Items", labels=status)(view)
            view = metrics.histogram("waits", "Waits", labels={**status, "shop": "a"})(view)
    app.add_url_rule("/items/<item>", "items", view)
    template = EnvironBuilder("/items/7").get_environ()

    def serve(requests: int) -> None:
        for _ in range(requests):
            answer = app.wsgi_app(dict(template), lambda *_: None)
            b"".join(answer)
            answer.close()

    return serve


APPS: Final[dict[str, tuple[Callable[[str, Any], Serve], tuple[str, ...]]]] = {
    "prometheus_flask_exporter": (flask, ("bare", "defaults", "decorated")),
    "prometheus_fastapi_instrumentator": (prometheus_asgi.instrumentator, ("bare", "defaults")),
    "starlette_exporter": (prometheus_asgi.exporter, ("bare", "defaults")),
}
"""By package: the app alone; with the default metrics; with a counter and a histogram of its view
besides."""


def main(package: str, module: str) -> None:
    """Serve a block with each app a line of standard input, and tell microseconds a request."""
    make, names = APPS[package]
    apps = {name: make(name, import_module(module)) for name in names}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        requests = json.loads(line)
        took = {}
        for name, serve in apps.items():
            gc.collect()
            began = thread_time()
            serve(requests)
            took[name] = (thread_time() - began) / requests * 1e6
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
