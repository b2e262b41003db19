"""The address of a log, which the client gets where its server's owner has asked for it."""

import sys
import threading
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from flask import Flask

from otel_apimetrics import ApiMetricsInstrumentor, ApiMetricsWSGIMiddleware, _guard
from otel_apimetrics.exporters.readme import ReadMeSpanExporter, project
from tests.exporters.sink import Reply
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

HEADER = "x-documentation-url"
DOCS = "https://docs.example.com"


@pytest.fixture
def exporter(backend):
    def made(**options):
        return ReadMeSpanExporter(
            **{
                "api_key": "k",
                "url": backend.url,
                "dashboard_url": backend.url + "/api",
                "anonymous": "nobody",
                "documentation_header": True,
                "background_worker_mode": False,
                **options,
            }
        )

    return made


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def served(exporter, app=hello):
    middleware = ApiMetricsWSGIMiddleware(app, exporters=[exporter], **Telemetry().providers)

    def headers(**request):
        (start,) = [
            event
            for event in serve_wsgi(middleware, make_environ(**request)).events
            if event[0] == "start"
        ]
        return dict(start[2])

    return headers


def logged(backend):
    posts = [received for received in backend.received if received.method == "POST"]
    return posts[-1].json[0]


def looked_up(backend):
    return [received for received in backend.received if received.method == "GET"]


def ask_at_once(made):
    made._project._start = lambda look_up: look_up()


def test_the_client_gets_the_address_of_the_log_that_is_sent(backend, exporter):
    headers = served(exporter(base_log_url=DOCS + "/"))()
    log = logged(backend)
    assert headers == {"Content-Type": "text/plain", HEADER: f"{DOCS}/logs/{log['_id']}"}
    told = log["request"]["log"]["entries"][0]["response"]["headers"]
    assert {"name": HEADER, "value": headers[HEADER]} in told
    assert looked_up(backend) == []


def test_nobody_gets_it_who_has_not_asked(backend, exporter):
    headers = served(exporter(documentation_header=False, base_log_url=DOCS))()
    assert headers == {"Content-Type": "text/plain"}
    assert "documentation" not in str(logged(backend))


@pytest.mark.parametrize("kind", ["flask", "fastapi"])
def test_it_reaches_the_client_of_a_framework(backend, exporter, kind):
    made = exporter(base_log_url=DOCS)
    telemetry = Telemetry()
    if kind == "flask":
        app = Flask("app")
        app.get("/")(lambda: "hello")
        ApiMetricsInstrumentor().instrument_app(app, exporters=[made], **telemetry.providers)
        url = app.test_client().get("/", buffered=True).headers[HEADER]
    else:
        app = FastAPI()
        app.get("/")(lambda: "hello")
        ApiMetricsInstrumentor().instrument_app(app, exporters=[made], **telemetry.providers)
        start = serve_asgi(app, make_scope()).sent[0]
        url = dict(start["headers"])[HEADER.encode()].decode()
    assert url == f"{DOCS}/logs/{logged(backend)['_id']}"


def test_readme_is_asked_once_beside_the_requests(backend, exporter):
    backend.by_path["/api/v1/"] = Reply(body=b'{"baseUrl": "https://docs.example.com/"}')
    made = exporter()
    headers = served(made)
    headers()
    for thread in threading.enumerate():
        if thread.name == "apimetrics-readme-project":
            thread.join(20)
    assert headers()[HEADER] == f"{DOCS}/logs/{logged(backend)['_id']}"
    (asked,) = looked_up(backend)
    assert asked.path == "/api/v1/"
    assert asked.headers["authorization"] == "Basic azo="


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401),
        Reply(body=b'{"baseUrl": "https://docs.example.com/\\r\\nset-cookie: a=1"}'),
        Reply(body=b'{"baseUrl": "javascript:alert(1)"}'),
        Reply(body=b'{"baseUrl": 7}'),
        Reply(302, {"Location": "https://elsewhere.example.com"}),
    ],
)
def test_without_an_answer_the_header_is_missing_and_readme_is_asked_again_later(
    backend, exporter, reply, caplog, monkeypatch
):
    backend.by_path["/api/v1/"] = reply
    made = exporter()
    ask_at_once(made)
    headers = served(made)
    assert headers() == headers() == {"Content-Type": "text/plain"}
    assert len(looked_up(backend)) == 1
    assert caplog.text.count("does not tell where your documentation stands") == 1
    backend.by_path["/api/v1/"] = Reply(body=b'{"baseUrl": "https://docs.example.com"}')
    monkeypatch.setattr(project, "monotonic", lambda: made._project._due)
    assert headers()[HEADER].startswith(DOCS)


@pytest.mark.swallows_errors
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_an_answer_that_cannot_be_read_is_no_answer(backend, exporter, body):
    backend.by_path["/api/v1/"] = Reply(body=body)
    made = exporter()
    ask_at_once(made)
    assert served(made)() == {"Content-Type": "text/plain"}


def test_what_is_not_logged_has_no_address(backend, exporter):
    headers = served(exporter(base_log_url=DOCS, allowed_http_hosts=["api.example:8000"]))
    assert HEADER in headers()
    assert HEADER not in headers(headers={"host": "other"})
    assert HEADER not in headers(method="OPTIONS")


def test_where_no_thread_runs_the_address_has_to_be_given(backend, exporter, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(has_threads=0))
    assert served(exporter())() == {"Content-Type": "text/plain"}
    assert "set OTEL_EXPORTER_README_BASE_LOG_URL" in caplog.text
    assert looked_up(backend) == []
    assert HEADER in served(exporter(base_log_url=DOCS))()


class Adding:
    """An exporter whose hook does what it is told."""

    def __init__(self, hook):
        self.response_hook = hook

    def export(self, spans):
        return None


def broken(recording):
    raise ValueError("secret")


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    "hook",
    [
        broken,
        lambda recording: [("x-a", "1\r\nset-cookie: b=2")],
        lambda recording: [("x a", "1")],
        lambda recording: [("x-a", "é")],
        lambda recording: [("x-a", None)],
        lambda recording: None,
    ],
)
def test_a_hook_that_fails_changes_no_response(hook, caplog):
    assert served(Adding(hook))() == {"Content-Type": "text/plain"}
    assert _guard.counts() == {"frameworks.response_hook": 1}
    assert "secret" not in caplog.text
