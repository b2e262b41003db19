"""The instrumentor: loud in code, quiet and off where nobody can catch, and reversible."""

import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from flask import Flask

from otel_apimetrics import ApiMetricsInstrumentor, ConfigError, autoload
from otel_apimetrics.frameworks import startup
from otel_apimetrics.frameworks.startup import MAX_ROUTES
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

ROOT = Path(__file__).parent.parent

APP = """
import json, logging, sys
from flask import Flask

app = Flask("app")

@app.get("/items/<int:id>")
def item(id):
    return str(id)

answer = app.test_client().get("/items/7?token=abc", headers={"x-client": "acme"})
from opentelemetry import metrics, trace
for provider in (trace.get_tracer_provider(), metrics.get_meter_provider()):
    getattr(provider, "force_flush", lambda: None)()
print()
print("ANSWER", answer.status_code, answer.text)
"""

AUTO = """
from opentelemetry.instrumentation.auto_instrumentation import initialize
initialize()
"""


FILE = """
file_format: "1.0"
propagator:
  composite:
    - tracecontext:
tracer_provider:
  processors:
    - simple:
        exporter:
          console:
instrumentation/development:
  python:
    apimetrics:
"""

FEW = "asgi,django,fastapi,starlette"
"""Instrumentations that no test here needs: each costs its import."""

BARE = """
import sys
from otel_apimetrics import ApiMetricsInstrumentor
instrumentor = ApiMetricsInstrumentor()
instrumentor.instrument()
instrumentor.instrument_app(lambda environ, start: [])
print(sorted({'flask', 'starlette', 'fastapi', 'django', 'litestar'} & set(sys.modules)))
instrumentor.uninstrument()
import flask
print(hasattr(flask.Flask.__call__, '__wrapped__'))
"""

VARIANTS = {
    "auto": (AUTO + APP, {"OTEL_APIMETRICS_IDENTIFY": "header:x-client"}),
    "bad variable": (AUTO + APP, {"OTEL_APIMETRICS_CAPTURE_BODY": "everything"}),
    "disabled": (
        AUTO + APP,
        {
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"{FEW},apimetrics",
            "OTEL_APIMETRICS_CAPTURE_BODY": "everything",
        },
    ),
    "file": (AUTO + APP, "identify: header:x-client"),
    "file disabled": (AUTO + APP, "enabled: false"),
    "file with an unknown option": (AUTO + APP, "capture_bodys: all"),
    "bare": (BARE, {}),
    "startup": ("STARTUP", {}),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, subprocess.CompletedProcess[str]]:
    """Each variant in a process of its own, as many at a time as there are cores."""

    def run(name: str) -> subprocess.CompletedProcess[str]:
        code, settings = VARIANTS[name]
        environ = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
        environ |= {
            "OTEL_TRACES_EXPORTER": "console",
            "OTEL_METRICS_EXPORTER": "console",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": FEW,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        }
        if isinstance(settings, str):
            path = tmp_path_factory.mktemp("file") / "otel.yaml"
            path.write_text(f"{FILE}      {settings}\n")
            environ |= {
                "OTEL_CONFIG_FILE": str(path),
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"{FEW},flask",
            }
        else:
            environ |= settings
        done = subprocess.run(
            [sys.executable, "-c", STARTUP if code == "STARTUP" else code],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environ,
        )
        assert done.returncode == 0, done.stderr
        return done

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(VARIANTS, pool.map(run, VARIANTS), strict=True))


def is_recorded(done: subprocess.CompletedProcess[str]) -> bool:
    assert "ANSWER 200 7" in done.stdout
    return "apimetrics.exchange.id" in done.stdout or "apimetrics.requests" in done.stdout


# -- in code ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"capture_bodys": "all"}, "capture_bodys"),
        ({"capture_body": "everything"}, "capture_body"),
        ({"max_consumers": 0}, "max_consumers"),
        ({"identify": "no.such:thing"}, "identify"),
        ({"tracer_provider": 7}, "tracer_provider"),
    ],
)
def test_a_bad_option_in_code_is_an_error_that_names_it(instrumentor, options, named):
    with pytest.raises(ConfigError, match=named):
        instrumentor.instrument(**options)
    assert not instrumentor.is_instrumented_by_opentelemetry
    with pytest.raises(ConfigError, match=named):
        instrumentor.instrument_app(lambda environ, start_response: [], **options)


def test_a_bad_variable_is_an_error_in_code_too(instrumentor, monkeypatch):
    monkeypatch.setenv("OTEL_APIMETRICS_CAPTURE_BODY", "everything")
    with pytest.raises(ConfigError, match="OTEL_APIMETRICS_CAPTURE_BODY"):
        instrumentor.instrument()


def test_instrument_twice_is_a_warning_and_one_record(telemetry, instrumentor, caplog):
    instrumentor.instrument(**telemetry.providers)
    instrumentor.instrument()
    serve_wsgi(Flask("x"), make_environ())
    assert telemetry.total() == 1
    assert "already instrumented" in caplog.text


def test_options_of_instrument_are_those_of_its_apps_unless_they_say_otherwise(
    telemetry, instrumentor
):
    instrumentor.instrument(identify="header:x-a", **telemetry.providers)
    app = Flask("x")
    instrumentor.instrument_app(app, capture_headers="off")
    serve_wsgi(app, make_environ(headers={"x-a": "acme"}))
    attributes = telemetry.server_span.attributes
    assert attributes["apimetrics.consumer.id"] == "acme"
    assert not [key for key in attributes if ".header." in key]


def bare(environ, start_response):
    start_response("200 OK", [])
    return [b"body"]


def test_instrument_uninstrument_instrument_records_again(telemetry, instrumentor):
    from flask import Flask

    app = Flask("x")
    for expected in (1, 2):
        instrumentor.instrument(**telemetry.providers)
        serve_wsgi(app, make_environ())
        assert telemetry.total() == expected
        instrumentor.uninstrument()
        serve_wsgi(app, make_environ())
        assert telemetry.total() == expected


def test_uninstrument_leaves_what_was_instrumented_by_itself(telemetry, instrumentor):
    one, all_others = Telemetry(), Flask("others")
    app = instrumentor.instrument_app(Flask("one"), **one.providers)
    middleware = instrumentor.instrument_app(bare, **one.providers)
    instrumentor.instrument(**telemetry.providers)
    instrumentor.uninstrument()
    for served in (app, middleware, all_others):
        serve_wsgi(served, make_environ())
    assert (one.total(), telemetry.total()) == (2, 0)
    assert instrumentor.uninstrument_app(app) is app
    assert instrumentor.uninstrument_app(middleware) is bare
    serve_wsgi(app, make_environ())
    assert one.total() == 2


def test_the_locks_stay_as_long_as_an_app_is_recorded(telemetry, instrumentor):
    def says_secret(provider: Telemetry) -> bool:
        with provider.tracer_provider.get_tracer("x").start_as_current_span("x") as span:
            span.set_attribute("url.query", "token=s3cr3t")
        return "s3cr3t" in str(provider.spans[-1].attributes)

    before = vars(Flask)["__call__"]
    one = Telemetry()
    apps = [instrumentor.instrument_app(app, **one.providers) for app in (Flask("one"), bare)]
    instrumentor.instrument(**telemetry.providers)
    instrumentor.uninstrument()
    assert says_secret(telemetry)
    assert not says_secret(one)
    assert vars(Flask)["__call__"] is not before
    instrumentor.uninstrument_app(apps[0])
    assert vars(Flask)["__call__"] is before
    assert not says_secret(one)
    instrumentor.uninstrument_app(apps[1])
    assert says_secret(one)


def test_an_app_that_was_left_out_is_recorded_by_the_next_instrument(telemetry, instrumentor):
    app = Flask("x")
    instrumentor.instrument(**telemetry.providers)
    instrumentor.uninstrument_app(app)
    serve_wsgi(app, make_environ())
    assert telemetry.total() == 0
    instrumentor.uninstrument()
    instrumentor.instrument(**telemetry.providers)
    serve_wsgi(app, make_environ())
    assert telemetry.total() == 1


def test_there_is_one_instrumentor_a_process():
    assert ApiMetricsInstrumentor() is ApiMetricsInstrumentor()
    assert list(ApiMetricsInstrumentor().instrumentation_dependencies()) == []


def test_an_app_is_known_by_its_framework_even_where_others_are_loaded():
    import fastapi
    import flask
    import starlette.applications
    from litestar import Litestar

    from otel_apimetrics.instrumentor import _framework_of

    found = {
        type(app).__name__: _framework_of(app).__name__.rpartition(".")[2]
        for app in (
            flask.Flask("x"),
            fastapi.FastAPI(),
            starlette.applications.Starlette(),
            Litestar(logging_config=None),
        )
    }
    assert found == {
        "Flask": "flask",
        "FastAPI": "fastapi",
        "Starlette": "starlette",
        "Litestar": "litestar",
    }
    assert _framework_of(object()) is None


def test_frameworks_that_nobody_has_imported_are_not_imported(outcomes):
    assert outcomes["bare"].stdout.splitlines()[0] == "[]"


def test_a_framework_that_is_imported_after_uninstrument_stays_as_it_is(outcomes):
    assert outcomes["bare"].stdout.splitlines()[1] == "False"


# -- under auto-instrumentation ---------------------------------------------------------


def test_auto_instrumentation_records_one_span_beside_contribs(outcomes):
    done = outcomes["auto"]
    assert is_recorded(done)
    assert done.stdout.count('"apimetrics.exchange.id"') == 1
    assert done.stdout.count('"kind": "SpanKind.SERVER"') == 1
    assert '"apimetrics.consumer.id": "acme"' in done.stdout
    assert "token=abc" not in done.stdout


def test_a_bad_variable_under_auto_instrumentation_is_one_line_and_off(outcomes):
    done = outcomes["bad variable"]
    assert not is_recorded(done)
    lines = [line for line in done.stderr.splitlines() if "otel-apimetrics" in line]
    assert len(lines) == 1
    assert "OTEL_APIMETRICS_CAPTURE_BODY=" in lines[0]
    if find_spec("opentelemetry.instrumentation.flask") is not None:
        assert '"kind": "SpanKind.SERVER"' in done.stdout, "contrib's own span is still there"


def test_a_disabled_instrumentation_stays_off_and_reads_no_variable(outcomes):
    done = outcomes["disabled"]
    assert not is_recorded(done)
    assert "otel-apimetrics" not in done.stderr


@pytest.mark.parametrize("names", ["apimetrics", "*", "x, apimetrics"])
def test_a_disabled_instrumentation_is_not_checked(instrumentor, monkeypatch, caplog, names):
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", names)
    monkeypatch.setenv("OTEL_APIMETRICS_CAPTURE_BODY", "everything")
    autoload.pre_instrument()
    assert caplog.records == []


@pytest.fixture
def refusing(instrumentor):
    """The instrumentor, its refusal forgotten after the test."""
    yield instrumentor
    instrumentor._refused = False


def test_the_loader_alone_refuses_with_one_line(refusing, telemetry, monkeypatch, caplog):
    from flask import Flask

    monkeypatch.setenv("OTEL_APIMETRICS_CAPTURE_BODY", "everything")
    refusing.instrument(skip_dep_check=True)
    refusing.instrument(skip_dep_check=True)
    assert not refusing.is_instrumented_by_opentelemetry
    assert caplog.text.count("otel-apimetrics is off") == 1
    assert serve_wsgi(Flask("x"), make_environ()).status == 404
    assert telemetry.total() == 0


def test_code_that_corrects_a_refused_configuration_turns_it_on(refusing, telemetry, monkeypatch):
    from flask import Flask

    monkeypatch.setenv("OTEL_APIMETRICS_CAPTURE_BODY", "everything")
    refusing.instrument(skip_dep_check=True)
    monkeypatch.delenv("OTEL_APIMETRICS_CAPTURE_BODY")
    refusing.instrument(**telemetry.providers)
    serve_wsgi(Flask("x"), make_environ())
    assert telemetry.total() == 1


def test_the_loader_leaves_what_code_has_instrumented(instrumentor, telemetry, caplog):
    instrumentor.instrument(**telemetry.providers)
    instrumentor.instrument(skip_dep_check=True)
    assert caplog.records == []
    assert instrumentor.is_instrumented_by_opentelemetry


@pytest.mark.swallows_errors
def test_pre_instrument_never_raises(monkeypatch, caplog):
    def fail():
        raise RuntimeError("ours")

    monkeypatch.setattr(autoload, "_check", fail)
    autoload.pre_instrument()
    assert "could not start" in caplog.text


def test_pre_instrument_leaves_an_instrumented_process_alone(
    telemetry, instrumentor, monkeypatch, caplog
):
    instrumentor.instrument(**telemetry.providers)
    monkeypatch.setenv("OTEL_APIMETRICS_CAPTURE_BODY", "everything")
    autoload.pre_instrument()
    assert caplog.records == []
    assert not instrumentor._refused


def test_pre_instrument_accepts_a_good_configuration(instrumentor, caplog):
    autoload.pre_instrument()
    assert not instrumentor._refused
    assert caplog.records == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_APIMETRICS_CAPTURE_BODY", "everything"), ("OTEL_APIMETRICS_CAPTURE_BODYS", "all")],
)
def test_pre_instrument_refuses_a_bad_configuration_with_one_line(
    refusing, monkeypatch, caplog, variable, value
):
    monkeypatch.setenv(variable, value)
    autoload.pre_instrument()
    autoload.pre_instrument()
    assert len(caplog.records) == 1
    assert variable in caplog.text
    refusing.instrument(skip_dep_check=True)
    assert not refusing.is_instrumented_by_opentelemetry


# -- from the declarative file ----------------------------------------------------------


def test_options_in_the_file_are_used(outcomes):
    assert is_recorded(outcomes["file"])
    assert '"apimetrics.consumer.id": "acme"' in outcomes["file"].stdout


def test_enabled_false_in_the_file_turns_it_off(outcomes):
    assert not is_recorded(outcomes["file disabled"])


def test_a_bad_option_in_the_file_turns_it_off_with_one_line(outcomes):
    done = outcomes["file with an unknown option"]
    assert not is_recorded(done)
    assert done.stderr.count("otel-apimetrics is off") == 1
    assert "capture_bodys" in done.stderr


def test_a_bad_value_in_the_file_is_refused_with_one_line(refusing, monkeypatch, tmp_path, caplog):
    path = tmp_path / "otel.yaml"
    path.write_text(FILE + "      capture_body: everything\n")
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
    refusing.instrument(capture_body="everything")
    refusing.instrument(skip_dep_check=True)
    assert not refusing.is_instrumented_by_opentelemetry
    assert caplog.text.count("otel-apimetrics is off") == 1


def test_enabled_false_in_the_file_is_honoured_where_the_loader_comes_later(
    instrumentor, monkeypatch, tmp_path
):
    path = tmp_path / "otel.yaml"
    path.write_text(FILE + "      enabled: false\n")
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
    instrumentor.instrument(skip_dep_check=True)
    assert not instrumentor.is_instrumented_by_opentelemetry


# -- the start-up event -----------------------------------------------------------------

STARTUP = """
import json
from opentelemetry import _logs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

exporter = InMemoryLogRecordExporter()
provider = LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
_logs.set_logger_provider(provider)

from otel_apimetrics import ApiMetricsInstrumentor
from tests.in_process import make_environ, make_scope, serve_asgi, serve_wsgi
import fastapi, flask

ApiMetricsInstrumentor().instrument(environment="staging")
first, second, third = flask.Flask("one"), flask.Flask("two"), fastapi.FastAPI()
first.add_url_rule("/a/<int:id>", view_func=lambda id: "x", methods=["GET", "POST"])
third.get("/b/{id}")(lambda id: id)
for _ in range(3):
    first.test_client().get("/")
    second.test_client().get("/")
    serve_asgi(third, make_scope())
Slotted = type("Slotted", (), {"__slots__": (), "__call__": lambda self, e, s: []})
served = ApiMetricsInstrumentor().instrument_app(Slotted())
for _ in range(2):
    serve_wsgi(served, make_environ())
for item in exporter.get_finished_logs():
    record = item.log_record
    print(json.dumps([record.event_name, dict(record.attributes)]))
"""


def test_each_app_announces_itself_once_a_process_with_its_routes(outcomes):
    events = [json.loads(line) for line in outcomes["startup"].stdout.splitlines()]
    assert [name for name, _ in events] == ["apimetrics.app.startup"] * 4
    found = [attributes for _, attributes in events]
    assert [a["apimetrics.app.framework"] for a in found] == ["flask", "flask", "fastapi", "wsgi"]
    assert {"GET /a/<int:id>", "POST /a/<int:id>"} <= set(found[0]["apimetrics.app.routes"])
    assert "GET /b/{id}" in found[2]["apimetrics.app.routes"]
    assert found[0]["apimetrics.app.version.flask"] == version("flask")
    assert found[0]["apimetrics.app.version.python"].startswith("3.")
    assert found[0]["apimetrics.app.version.otel_apimetrics"]
    assert all(a["deployment.environment.name"] == "staging" for a in found)


def test_a_forked_worker_announces_its_apps_again(telemetry, monkeypatch):
    from otel_apimetrics import ApiMetricsWSGIMiddleware

    announced = []
    monkeypatch.setattr(startup, "_emit", lambda *given: announced.append(given))

    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    served = ApiMetricsWSGIMiddleware(app, **telemetry.providers)
    serve_wsgi(served, make_environ())
    serve_wsgi(served, make_environ())
    assert len(announced) == 1
    monkeypatch.setattr(startup.os, "getpid", lambda: -1)
    startup.announce(*announced[0][:2], app)
    assert len(announced) == 2


def test_the_route_table_is_sorted_bounded_and_without_repeats():
    assert startup._routes(["b", "a", "b"]) == ["a", "b"]
    assert len(startup._routes(f"r{n}" for n in range(MAX_ROUTES * 2))) == MAX_ROUTES


def test_a_distribution_without_metadata_is_left_out(telemetry, monkeypatch):
    from dataclasses import replace

    from otel_apimetrics.config import build
    from otel_apimetrics.frameworks.flask import ADAPTER
    from otel_apimetrics.wiring import make_pipeline

    emitted = []

    class Logger:
        def emit(self, **named):
            emitted.append(named)

    monkeypatch.setattr(startup, "get_logger", lambda *_, **__: Logger())
    import flask

    adapter = replace(ADAPTER, distribution="no-such-distribution")
    startup.announce(make_pipeline(build({}, {})), adapter, flask.Flask("x"))
    assert emitted[0]["event_name"] == "apimetrics.app.startup"
    assert "apimetrics.app.version.flask" not in emitted[0]["attributes"]


def test_logging_is_left_as_it_was(instrumentor):
    before = list(logging.getLogger().handlers)
    instrumentor.instrument()
    assert logging.getLogger().handlers == before


def test_options_in_code_win_over_what_a_loader_has_instrumented(telemetry, instrumentor):
    instrumentor.instrument(skip_dep_check=True)
    instrumentor.instrument(identify="header:x-client", **telemetry.providers)
    app = Flask("late")
    app.add_url_rule("/", "index", lambda: "x")
    serve_wsgi(app, make_environ(headers={"x-client": "acme"}))
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


def test_a_wrong_option_in_code_is_loud_although_a_loader_was_there(instrumentor):
    instrumentor.instrument(skip_dep_check=True)
    with pytest.raises(ConfigError, match="capture_body"):
        instrumentor.instrument(capture_body="nonsense")


@pytest.mark.parametrize("switch", ["maybe", '"false"'])
def test_a_switch_in_the_file_that_is_neither_true_nor_false_turns_it_off(
    tmp_path, monkeypatch, caplog, instrumentor, switch
):
    path = tmp_path / "otel.yaml"
    path.write_text(
        'file_format: "1.0"\ninstrumentation/development:\n  python:\n'
        f"    apimetrics:\n      enabled: {switch}\n"
    )
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
    instrumentor.instrument(skip_dep_check=True)
    assert not instrumentor.is_instrumented_by_opentelemetry
    assert [m for m in caplog.messages if "enabled" in m and "use true or false" in m]
    type(instrumentor)._refused = instrumentor._refused = False
