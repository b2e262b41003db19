"""Promises that were broken once: each test is the shortest way to break one."""

import asyncio
from typing import Any

import pytest
from flask import Flask
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as AsgiContrib
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as WsgiContrib
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
    add_label,
    set_consumer,
    skip_request,
)
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


def ok(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x"]


async def ok_asgi(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


def said(telemetry: Telemetry) -> str:
    return "".join(span.to_json() for span in telemetry.spans)


@pytest.mark.parametrize("ours_outside", [True, False])
def test_wsgi_span_name_of_contrib_has_no_secret_of_the_path(ours_outside: bool) -> None:
    t = Telemetry()
    if ours_outside:
        app: Any = ApiMetricsWSGIMiddleware(
            WsgiContrib(ok, tracer_provider=t.tracer_provider), **t.providers
        )
    else:
        app = WsgiContrib(
            ApiMetricsWSGIMiddleware(ok, **t.providers), tracer_provider=t.tracer_provider
        )
    serve_wsgi(app, make_environ())
    serve_wsgi(app, make_environ(path=f"/reset/{JWT}"))
    assert JWT not in said(t)


def test_asgi_span_names_of_contrib_have_no_secret_of_the_path() -> None:
    t = Telemetry()
    app = AsgiContrib(
        ApiMetricsASGIMiddleware(ok_asgi, **t.providers), tracer_provider=t.tracer_provider
    )
    serve_asgi(app, make_scope())
    serve_asgi(app, make_scope(path=f"/reset/{JWT}"))
    assert JWT not in said(t)


def test_user_agent_that_contrib_wrote_is_redacted() -> None:
    t = Telemetry()
    app = WsgiContrib(
        ApiMetricsWSGIMiddleware(ok, **t.providers), tracer_provider=t.tracer_provider
    )
    serve_wsgi(app, make_environ(headers={"user-agent": f"cli/1 token={JWT}"}))
    assert JWT not in said(t)


def test_consumer_email_is_redacted() -> None:
    t = Telemetry()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        set_consumer("acme", email=f"token={JWT}")
        return ok(environ, start_response)

    serve_wsgi(ApiMetricsWSGIMiddleware(app, **t.providers), make_environ())
    assert JWT not in said(t)


@pytest.mark.swallows_errors
def test_numeric_company_loses_nothing_and_leaks_nothing() -> None:
    t = Telemetry()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        set_consumer("acme", name=f"n {JWT}", session=JWT, company=42)  # type: ignore[arg-type]
        return ok(environ, start_response)

    serve_wsgi(ApiMetricsWSGIMiddleware(app, **t.providers), make_environ(path="/a"))
    assert JWT not in said(t)
    assert t.server_span.attributes["url.path"] == "/a"


def test_names_of_refused_fields_are_redacted() -> None:
    from fastapi import FastAPI

    app, t = FastAPI(), Telemetry()

    @app.post("/v")
    async def v(b: dict[str, int]) -> dict[str, int]:
        return b

    ApiMetricsInstrumentor().instrument_app(app, **t.providers)
    body = f'{{"{JWT}": "x"}}'.encode()
    serve_asgi(
        app,
        make_scope("POST", "/v", headers=[(b"content-type", b"application/json")]),
        request_messages(body),
    )
    assert JWT not in said(t)


def test_unknown_method_is_redacted() -> None:
    t = Telemetry()
    serve_wsgi(ApiMetricsWSGIMiddleware(ok, **t.providers), make_environ(JWT))
    assert JWT not in said(t)


def test_host_is_redacted() -> None:
    t = Telemetry()
    serve_wsgi(ApiMetricsWSGIMiddleware(ok, **t.providers), make_environ(headers={"host": JWT}))
    assert JWT not in said(t)


def test_forwarded_addresses_that_contrib_captured_are_truncated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST", "x-forwarded-for"
    )
    app, t = Flask("f"), Telemetry()
    FlaskInstrumentor().instrument_app(app, tracer_provider=t.tracer_provider)
    ApiMetricsInstrumentor().instrument_app(app, **t.providers)
    serve_wsgi(app, make_environ(headers={"X-Forwarded-For": "203.0.113.77"}))
    assert "203.0.113.77" not in said(t)


def test_a_skipped_request_tells_no_full_address() -> None:
    app, t = Flask("f"), Telemetry()
    app.add_url_rule("/", "i", lambda: (skip_request(), "x")[1])
    FlaskInstrumentor().instrument_app(app, tracer_provider=t.tracer_provider)
    ApiMetricsInstrumentor().instrument_app(app, client_ip="off", **t.providers)
    serve_wsgi(app, make_environ())
    assert "192.0.2.77" not in said(t)


def test_csrf_token_of_an_html_form_is_redacted() -> None:
    t = Telemetry()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b'<input type="hidden" name="csrf_token" value="s3cr3ts3cr3t">']

    serve_wsgi(ApiMetricsWSGIMiddleware(app, capture_body="all", **t.providers), make_environ())
    assert "s3cr3ts3cr3t" not in said(t)


def test_headers_of_an_asgi_response_may_be_an_iterator() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(b"content-type", b"text/plain"), (b"set-cookie", b"a=b")]
        await send({"type": "http.response.start", "status": 200, "headers": (p for p in pairs)})
        await send({"type": "http.response.body", "body": b"hi"})

    seen = serve_asgi(ApiMetricsASGIMiddleware(app, **Telemetry().providers), make_scope())
    assert len(list(seen.sent[0]["headers"])) == 2


def test_headers_of_a_wsgi_response_may_be_an_iterator() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", iter([("Content-Type", "text/plain")]))
        return [b"x"]

    seen = serve_wsgi(ApiMetricsWSGIMiddleware(app, **Telemetry().providers), make_environ())
    assert seen.events[0][2] == (("Content-Type", "text/plain"),)


def test_input_takes_what_gunicorns_takes() -> None:
    class Body:  # as gunicorn.http.body.Body
        def read(self, size: int | None = None) -> bytes:
            return b"abc"[:size]

        def __iter__(self) -> "Body":
            return self

        def __next__(self) -> bytes:
            return b"line"

    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(size=2)
        next(environ["wsgi.input"])
        return ok(environ, start_response)

    middleware = ApiMetricsWSGIMiddleware(app, capture_body="all", **Telemetry().providers)
    assert serve_wsgi(middleware, make_environ(body=b"abc", **{"wsgi.input": Body()})).error is None


def test_a_failing_lifespan_of_starlette_fails_as_without_us() -> None:
    class Broken:
        def __init__(self, app: Any, key: str) -> None: ...

    app = ApiMetricsInstrumentor().instrument_app(
        Starlette(middleware=[Middleware(Broken)]), **Telemetry().providers
    )
    sent: list[Any] = []
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(TypeError):
        asyncio.run(
            app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        )


def test_an_app_that_returns_at_the_lifespan_is_flushed_at_its_end() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await ok_asgi(scope, receive, send)

    t, flushed = Telemetry(), []
    t.tracer_provider.force_flush = lambda *a: flushed.append(1) or True  # type: ignore[method-assign]
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None: ...

    asyncio.run(ApiMetricsASGIMiddleware(app, **t.providers)({"type": "lifespan"}, receive, send))
    assert flushed


def test_a_server_that_says_disconnect_inside_the_last_send_is_no_client_gone() -> None:
    async def stream(request: Request) -> StreamingResponse:
        async def parts() -> Any:
            yield b"a"

        return StreamingResponse(parts())

    t = Telemetry()
    app = ApiMetricsInstrumentor().instrument_app(
        Starlette(routes=[Route("/", stream)]), **t.providers
    )

    async def hypercorn() -> None:
        over, first = asyncio.Event(), [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if first:
                return first.pop()
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                over.set()
                await asyncio.sleep(0.01)

        scope = make_scope()
        scope["asgi"]["spec_version"] = "2.1"
        await app(scope, receive, send)

    asyncio.run(hypercorn())
    assert "error.type" not in t.server_span.attributes


def test_set_consumer_wins_over_request_state() -> None:
    async def endpoint(request: Request) -> PlainTextResponse:
        request.state.consumer = object()
        set_consumer("acme", name="Acme")
        return PlainTextResponse("x")

    t = Telemetry()
    app = ApiMetricsInstrumentor().instrument_app(
        Starlette(routes=[Route("/", endpoint)]), **t.providers
    )
    serve_asgi(app, make_scope())
    assert t.server_span.attributes["apimetrics.consumer.id"] == "acme"


def test_an_object_in_the_lifespans_state_is_no_consumer() -> None:
    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse("x")

    t = Telemetry()
    app = ApiMetricsInstrumentor().instrument_app(
        Starlette(routes=[Route("/", endpoint)]), **t.providers
    )
    serve_asgi(app, make_scope(state={"consumer": object()}))  # an aiokafka consumer, say
    assert "apimetrics.consumer.id" not in t.server_span.attributes


def test_a_cancelled_request_keeps_its_route() -> None:
    async def slow(request: Request) -> None:
        await asyncio.sleep(9)

    t = Telemetry()
    app = ApiMetricsInstrumentor().instrument_app(
        Starlette(routes=[Route("/slow/{i}", slow)]), **t.providers
    )

    async def cancel() -> None:
        task = asyncio.create_task(app(make_scope(path="/slow/1"), None, None))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel())
    assert t.points("apimetrics.requests")[0].attributes["http.route"] == "/slow/{i}"


def test_many_labels_do_not_push_out_the_method() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        for index in range(200):
            add_label(f"l{index}", "v")
        return ok(environ, start_response)

    t = Telemetry()
    serve_wsgi(ApiMetricsWSGIMiddleware(app, **t.providers), make_environ())
    assert t.server_span.attributes["http.request.method"] == "GET"


def test_a_forgotten_websocket_keeps_its_traffic() -> None:
    from time import monotonic

    from otel_apimetrics import open_requests

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        open_requests.sweep(monotonic() + 601)
        await send({"type": "websocket.close", "code": 1000})

    t, scope = Telemetry(), make_scope()
    scope.update(type="websocket", scheme="ws")
    serve_asgi(ApiMetricsASGIMiddleware(app, **t.providers), scope, [{"type": "websocket.connect"}])
    assert t.server_span.attributes["apimetrics.websocket.messages_sent"] == 1


def test_a_download_whose_client_left_says_so() -> None:
    from io import BytesIO
    from wsgiref.util import FileWrapper

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "9")])
        return environ["wsgi.file_wrapper"](BytesIO(b"123456789"))

    t = Telemetry()
    body = ApiMetricsWSGIMiddleware(app, **t.providers)(
        make_environ(**{"wsgi.file_wrapper": FileWrapper}), lambda *_: None
    )
    with pytest.raises(BrokenPipeError):
        try:
            raise BrokenPipeError  # the server's sendfile
        finally:
            body.close()  # type: ignore[attr-defined]
    assert t.server_span.attributes.get("error.type") == "client_disconnect"


def test_group_and_labels_are_cleaned_before_they_are_metric_attributes() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        set_consumer("c", group="\ud800g")
        add_label("plan", "p" * 100_000)
        return ok(environ, start_response)

    t = Telemetry()
    serve_wsgi(ApiMetricsWSGIMiddleware(app, metric_labels=["plan"], **t.providers), make_environ())
    attributes = t.points("apimetrics.requests")[0].attributes
    attributes["apimetrics.consumer.group"].encode()
    assert len(attributes["apimetrics.label.plan"]) <= 256
