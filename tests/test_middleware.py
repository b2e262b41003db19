"""Whatever goes wrong inside the plugin: the app's answer is the same and nothing raw leaves."""

import contextvars
import json
from importlib import import_module

import pytest

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsInstrumentor,
    ApiMetricsWSGIMiddleware,
    _guard,
    open_requests,
)
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
BODY = json.dumps({"password": SECRET}).encode()
JSON = "application/json"
OPTIONS = {"capture_body": "all", "capture_headers": "all", "metrics": "all"}


def wsgi(environ, start_response):
    environ["wsgi.input"].read()
    write = start_response("201 Created", [("Content-Type", JSON), ("X-Api-Key", SECRET)])
    write(b"")
    if environ["QUERY_STRING"].startswith("boom"):
        raise ValueError(f"password={SECRET}")
    return [BODY, b"\n"]


async def asgi(scope, receive, send):
    await receive()
    headers = [(b"content-type", JSON.encode()), (b"x-api-key", SECRET.encode())]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": BODY, "more_body": True})
    if scope["query_string"].startswith(b"boom"):
        raise ValueError(f"password={SECRET}")
    await send({"type": "http.response.body", "body": b"\n"})


async def socket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    await send({"type": "websocket.send", "text": SECRET})
    if scope["query_string"].startswith(b"boom"):
        raise ValueError(f"password={SECRET}")
    await send({"type": "websocket.close", "code": 1000})


def ask_wsgi(app, query: str):
    headers = {"content-type": JSON, "authorization": f"Bearer {SECRET}"}
    environ = make_environ("POST", f"/reset/{SECRET}", query=query, body=BODY, headers=headers)
    seen = serve_wsgi(app, environ)
    return [e for e in seen.events if e != ("close",)], seen.length, repr(seen.error)


def ask_asgi(app, query: str):
    headers = [(b"content-type", JSON.encode()), (b"authorization", f"Bearer {SECRET}".encode())]
    scope = make_scope("POST", f"/reset/{SECRET}", query=query.encode(), headers=headers)
    seen = serve_asgi(app, scope, request_messages(BODY))
    return seen.sent, seen.received, repr(seen.error)


def ask_socket(app, query: str):
    scope = make_scope(path=f"/reset/{SECRET}", query=query.encode(), type="websocket")
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": SECRET}]
    seen = serve_asgi(app, scope, incoming)
    return seen.sent, seen.received, repr(seen.error)


KINDS = {
    "wsgi": (wsgi, ask_wsgi, ApiMetricsWSGIMiddleware),
    "asgi": (asgi, ask_asgi, ApiMetricsASGIMiddleware),
    "websocket": (socket, ask_socket, ApiMetricsASGIMiddleware),
}

POINTS = [
    "attributes.request_attributes@server_span",
    "cardinality.Cardinality.attributes",
    "content.BodyBuffer.write",
    "frameworks.adapter.Adapter.instrumented_inside",
    "frameworks.asgi._note_received",
    "frameworks.asgi.Call._note_sent",
    "frameworks.asgi_request.read_request@frameworks.asgi",
    "frameworks.asgi_websocket._size",
    "frameworks.entry.announce",
    "processors.attach",
    "frameworks.startup._emit",
    "frameworks.entry.left_out@frameworks.asgi",
    "frameworks.entry.left_out@frameworks.wsgi",
    "frameworks.wsgi._note_response",
    "frameworks.wsgi.declared_length",
    "frameworks.wsgi.read_request",
    "frameworks.wsgi.tee_input",
    "frameworks.wsgi_response._is_file",
    "masking.Masking._redact",
    "masking.Masking.redact_line",
    "metrics.Metrics.active",
    "metrics.Metrics.record",
    "pipeline.Pipeline.conclude",
    "judging.Question.ask",
    "pipeline.Pipeline.wants_content",
    "masking.Masking._redact_keys",
    "pipeline._write",
    "pipeline.encode",
    "recording.Recording.__init__",
    "recording.Recording.note_exception",
    "recording.Recording.touch",
    "conclusion.snapshot",
    "recording.open_requests.add",
    "redaction.Redactor.attribute",
    "redaction.Redactor.body",
    "redaction.Redactor.header",
    "redaction.Redactor.text",
    "server_span.ServerSpan._make_current",
    "server_span.ServerSpan.begin",
    "server_span.ServerSpan.notice_current",
    "snapshot.body_text",
    "spans.decide",
    "span_lock.guard",
    "span_lock.hold",
    "spans.is_local",
    "spans.limits",
    "span_lock.release",
]


def break_at(monkeypatch: pytest.MonkeyPatch, point: str) -> list[int]:
    """Make one function of ours raise, and give the list that counts its calls."""
    calls: list[int] = []

    def fail(*_, **__):
        calls.append(1)
        raise RuntimeError("ours")

    name, _, used_in = point.partition("@")
    *modules, attribute = name.split(".")
    if used_in:
        modules = used_in.split(".")
    owner, path = None, "otel_apimetrics"
    for part in modules:
        path = f"{path}.{part}"
        if owner is None:
            try:
                owner_module = import_module(path)
                continue
            except ModuleNotFoundError:
                owner = owner_module
        owner = getattr(owner, part)
    monkeypatch.setattr(owner or owner_module, attribute, fail)
    return calls


@pytest.mark.swallows_errors
@pytest.mark.parametrize("query", ["", f"boom&token={SECRET}"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("point", POINTS)
def test_an_error_of_ours_changes_nothing_for_the_app(
    telemetry, monkeypatch, no_swallowed_errors, point, kind, query
):
    app, ask, middleware = KINDS[kind]
    bare = ask(app, query)
    served = middleware(app, **OPTIONS, **telemetry.providers)
    before = set(open_requests._open)
    if point.endswith("instrumented_inside"):
        from dataclasses import replace

        def fail(_):
            raise RuntimeError("ours")

        served._adapter = replace(served._adapter, instrumented_inside=fail)
        calls = [1]
    else:
        calls = break_at(monkeypatch, point)

    # In a context of its own, so that one that is left behind fails this test alone.
    own = contextvars.copy_context()
    ours = own.run(ask, served, query)

    assert ours == bare
    assert own.get(open_requests.current) is None
    assert SECRET not in "".join(span.to_json() for span in telemetry.spans)
    if calls:
        assert no_swallowed_errors
        assert {type(error) for _, error in no_swallowed_errors} == {RuntimeError}
    assert not open_requests._open - before, "the recording is left in the registry"
    monkeypatch.undo()
    assert len(telemetry.server_spans) <= 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    "point",
    [
        "masking.Masking._redact",
        "masking.Masking.redact_line",
        "pipeline._write",
        "pipeline.encode",
        "redaction.Redactor.body",
        "redaction.Redactor.text",
        "server_span.ServerSpan.begin",
        "span_lock.hold",
        "spans.decide",
        "spans.limits",
        "span_lock.release",
        "snapshot.body_text",
        "frameworks.startup._emit",
        "processors.attach",
    ],
)
def test_a_request_is_counted_although_its_span_or_its_content_fails(
    telemetry, monkeypatch, point, kind
):
    app, ask, middleware = KINDS[kind]
    served = middleware(app, **OPTIONS, **telemetry.providers)
    break_at(monkeypatch, point)
    contextvars.copy_context().run(ask, served, "")
    assert telemetry.total() == 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_what_a_failing_redaction_leaves_is_blank(telemetry, monkeypatch, kind):
    app, ask, middleware = KINDS[kind]
    served = middleware(app, **OPTIONS, **telemetry.providers)
    break_at(monkeypatch, "masking.Masking._redact")
    ask(served, f"token={SECRET}")
    attributes = telemetry.server_span.attributes
    assert attributes["http.response.status_code"] == 201
    assert attributes["http.request.body.size"] == len(BODY)
    assert "http.request.body.content" not in attributes
    assert "http.response.body.content" not in attributes
    assert not [key for key in attributes if ".header." in key]
    assert SECRET not in telemetry.server_span.to_json()


@pytest.mark.swallows_errors
def test_swallowed_errors_become_a_metric_by_place(telemetry, monkeypatch):
    served = ApiMetricsWSGIMiddleware(wsgi, **OPTIONS, **telemetry.providers)
    ask_wsgi(served, "")
    break_at(monkeypatch, "pipeline.encode")
    ask_wsgi(served, "")
    places = {
        p.attributes["place"]: p.value for p in telemetry.points("apimetrics.internal.errors")
    }
    assert sum(places.values()) == 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("option", "place"),
    [("identify", "hooks.identify"), ("label", "hooks.label"), ("skip", "hooks.skip")],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_that_raises_leaves_the_rest(telemetry, no_swallowed_errors, option, place, kind):
    app, ask, middleware = KINDS[kind]

    def hook(exchange):
        raise KeyError(SECRET)

    bare = ask(app, "")
    ours = ask(middleware(app, **{option: hook}, **OPTIONS, **telemetry.providers), "")
    assert ours == bare
    assert [found for found, _ in no_swallowed_errors] == [place]
    assert telemetry.total() == 1
    assert SECRET not in telemetry.server_span.to_json()


@pytest.mark.swallows_errors
def test_the_log_line_about_an_error_withholds_what_the_request_said(telemetry, caplog):
    def hook(exchange):
        raise KeyError(SECRET)

    ask_wsgi(ApiMetricsWSGIMiddleware(wsgi, identify=hook, **telemetry.providers), "")
    assert "hooks.identify" in caplog.text
    assert SECRET not in caplog.text


def test_a_header_that_a_server_gives_as_a_number_is_read(telemetry):
    served = ApiMetricsWSGIMiddleware(wsgi, capture_headers="all", **telemetry.providers)
    environ = make_environ("POST", body=b"x", HTTP_X_ODD=7, CONTENT_LENGTH=1)
    assert serve_wsgi(served, environ).status == 201
    attributes = telemetry.server_span.attributes
    assert attributes["http.request.header.x-odd"] == ("7",)
    assert attributes["http.request.header.content-length"] == ("1",)


@pytest.mark.swallows_errors
def test_an_environ_that_cannot_be_read_is_served(telemetry, no_swallowed_errors):
    served = ApiMetricsWSGIMiddleware(wsgi, **telemetry.providers)
    environ = make_environ("POST", body=b"x", SERVER_PROTOCOL=object())
    assert serve_wsgi(served, environ).status == 201
    assert [place for place, _ in no_swallowed_errors] == ["wsgi.begin"]


@pytest.mark.swallows_errors
def test_a_scope_that_cannot_be_read_is_served(telemetry, no_swallowed_errors):
    served = ApiMetricsASGIMiddleware(asgi, **telemetry.providers)
    assert serve_asgi(served, make_scope(client=7)).status == 201
    assert [place for place, _ in no_swallowed_errors] == ["asgi.begin"]


@pytest.mark.swallows_errors
@pytest.mark.parametrize("status", ["abc", "", None])
def test_a_status_that_is_none_reaches_the_server_as_it_is(telemetry, status):
    seen = []

    def app(environ, start_response):
        start_response(status, [])
        return [b"x"]

    served = ApiMetricsWSGIMiddleware(app, **telemetry.providers)
    list(served(make_environ(), lambda *given: seen.append(given)))
    assert seen == [(status, [])]
    assert telemetry.total() == 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize("chunk", ["text", 7, None])
def test_a_chunk_that_is_no_bytes_reaches_the_server_as_it_is(telemetry, chunk):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [chunk]

    served = ApiMetricsWSGIMiddleware(app, **telemetry.providers)
    assert list(served(make_environ(), lambda *_: None)) == [chunk]
    assert telemetry.total() == 1


@pytest.mark.swallows_errors
def test_a_message_without_its_fields_reaches_the_server_as_it_is(telemetry):
    async def app(scope, receive, send):
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body", "body": 7})

    served = ApiMetricsASGIMiddleware(app, **telemetry.providers)
    seen = serve_asgi(served, make_scope())
    assert seen.sent == [{"type": "http.response.start"}, {"type": "http.response.body", "body": 7}]
    assert telemetry.total() == 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize("name", ["flask", "starlette", "fastapi", "django", "litestar"])
def test_a_framework_that_cannot_be_wrapped_is_served_unrecorded(
    telemetry, instrumentor: ApiMetricsInstrumentor, monkeypatch, no_swallowed_errors, name
):
    import django.core.handlers.wsgi  # noqa: F401
    from fastapi import FastAPI  # noqa: F401
    from flask import Flask
    from litestar import Litestar  # noqa: F401  imported so that its hook runs at once

    break_at(monkeypatch, f"frameworks.{name}.install")
    instrumentor.instrument(**telemetry.providers)
    assert f"install.{name}" in [place for place, _ in no_swallowed_errors]
    assert Flask("x").test_client().get("/").status_code == 404


def test_nothing_is_swallowed_where_nothing_fails(telemetry, no_swallowed_errors):
    for app, ask, middleware in KINDS.values():
        served = middleware(app, **OPTIONS, **telemetry.providers)
        assert ask(served, "") == ask(app, "")
        assert ask(served, "boom") == ask(app, "boom")
    assert no_swallowed_errors == []
    assert _guard.counts() == {}
    assert telemetry.total() == 6
    assert SECRET not in "".join(span.to_json() for span in telemetry.spans)
