"""A process that serves sequences of requests to apps that a package measures, for comparison.

python -m tests.compat.sequences MODULE [NAMES]

with `NAMES` by the `ASGIMetrics` of the module, answers each line of standard input (options, requests) with a line: what was shown after them.
Imports nothing of ours: the environment of the packages themselves runs it too.
"""

import asyncio
import json
import sys
from http import HTTPStatus
from importlib import import_module

from prometheus_client import REGISTRY
from starlette.routing import Mount, Route

from tests.compat.asgi_apps import fast_app, scraped, star_app
from tests.in_process import converse, make_scope, request_messages


class Asked:
    """An endpoint that answers as its request asks: the header `x-answer` has JSON.

    `status`, `chunks` and `length` are of the response; before the message `fails` it raises.
    """

    def __init__(self, status_of):
        self.status_of = status_of

    async def __call__(self, scope, receive, send):
        headers = dict(scope["headers"])
        asked = json.loads(headers.get(b"x-answer", b"{}"))
        chunks = [each.encode() for each in asked.get("chunks", [""])]
        lines = [(b"content-type", b"text/plain")]
        if asked.get("length"):
            lines.append((b"content-length", str(sum(map(len, chunks))).encode()))
        status = self.status_of(asked.get("status", 200))
        messages = [{"type": "http.response.start", "status": status, "headers": lines}]
        messages += [
            {"type": "http.response.body", "body": each, "more_body": number < len(chunks)}
            for number, each in enumerate(chunks, 1)
        ]
        fails = asked.get("fails")
        for number, message in enumerate(messages):
            if number == fails:
                raise ValueError("asked for")
            await send(message)
        if fails is not None and fails >= len(messages):
            raise ValueError("asked for, at the end")


def app_of(make):
    """Make an app that has such endpoints: one of its own, and one in a mount."""
    app = make()
    routes = [
        Route("/asked/{n}", Asked(int)),
        Route("/named", Asked(HTTPStatus), methods=["GET", "POST"]),
        Mount("/inside/{kind}", routes=[Route("/{n:int}", Asked(int))]),
        Mount("/raw", Asked(int)),
    ]
    app.router.routes[:0] = routes
    return app


def instrumented(module, app, options):
    """Measure an app with an `Instrumentator`."""
    module.Instrumentator(registry=REGISTRY, **options).instrument(app).expose(app)


def exported(module, app, options):
    """Measure an app with a `PrometheusMiddleware`."""
    app.add_middleware(module.PrometheusMiddleware, **options)
    app.add_route("/metrics", module.handle_metrics)


def preset(names):
    """Give what measures an app with the default metrics of names."""
    return lambda module, app, options: module.ASGIMetrics(app, names=names, **options)


def serve(app, request):
    """Serve one, whatever it raises."""
    headers = [(name.encode(), value.encode()) for name, value in request["headers"].items()]
    scope = make_scope(
        request["method"], request["path"], headers=headers, root_path=request["root_path"]
    )
    messages = request_messages(*(each.encode() for each in request["body"]))
    if request["gone"]:
        messages.append({"type": "http.disconnect"})
    asyncio.run(converse(app, scope, messages))


def main(name, names=None):
    """Answer lines."""
    module = import_module(name)
    measure = exported if name.endswith("starlette_exporter") else instrumented
    if names is not None:
        measure = preset(names)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        make, options, requests = json.loads(line)
        for collector in list(REGISTRY._collector_to_names):
            REGISTRY.unregister(collector)
        getattr(getattr(module, "PrometheusMiddleware", None), "_metrics", {}).clear()
        app = app_of({"fast": fast_app, "star": star_app}[make])
        measure(module, app, options)
        for request in requests:
            serve(app, request)
        print(json.dumps(scraped(app)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
