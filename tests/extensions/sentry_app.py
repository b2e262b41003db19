"""One app with Sentry, in a process of its own: Sentry patches frameworks for good.

Arguments: the framework, and who is switched on, in this order. Prints one JSON object.
"""

import json
import sys
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport

from otel_apimetrics import ApiMetricsInstrumentor
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

framework, *parties = sys.argv[1:]
events: list[Any] = []
telemetry = Telemetry()


class InMemory(Transport):
    def capture_envelope(self, envelope: Any) -> None:
        events.extend(item.payload.json for item in envelope.items if item.payload.json)


def sentry() -> None:
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=InMemory, traces_sample_rate=1.0)


def ours() -> None:
    ApiMetricsInstrumentor().instrument(capture_body="all", **telemetry.providers)


for party in parties:
    {"sentry": sentry, "ours": ours}[party]()


def ask_flask() -> list[Any]:
    from flask import Flask

    app = Flask(__name__)
    app.get("/fine")(lambda: "fine")

    @app.get("/broken")
    def broken():
        raise ValueError("broken on purpose")

    seen = [serve_wsgi(app, make_environ(path=path)) for path in ("/fine", "/broken")]
    return [(one.status, one.body.decode(), repr(one.error)) for one in seen]


def ask_starlette() -> list[Any]:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def fine(request):
        return PlainTextResponse("fine")

    async def broken(request):
        raise ValueError("broken on purpose")

    app = Starlette(routes=[Route("/fine", fine), Route("/broken", broken)])
    seen = [serve_asgi(app, make_scope(path=path)) for path in ("/fine", "/broken")]
    return [(one.status, one.body.decode(), repr(one.error)) for one in seen]


answers = {"flask": ask_flask, "starlette": ask_starlette}[framework]()
sentry_sdk.flush()
exceptions = [
    (event["transaction"], value["type"], value["mechanism"]["type"])
    for event in events
    for value in (event.get("exception") or {}).get("values", ())
]
transactions = [event["transaction"] for event in events if event.get("type") == "transaction"]
statuses = [span.attributes["http.response.status_code"] for span in telemetry.server_spans]
print(
    json.dumps(
        {
            "answers": answers,
            "exceptions": exceptions,
            "transactions": transactions,
            "recorded": statuses,
            "counted": telemetry.total(),
        }
    )
)
