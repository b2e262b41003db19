"""HTTP cases that are more than one exchange on one connection: many at once (26), the lifespan
and other scopes (31), a fork (32), compressing middlewares (7)."""

import asyncio
import gzip
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otel_apimetrics import ApiMetricsInstrumentor, ConfigError
from tests.frameworks import contract, forking
from tests.frameworks.cases import FRAMEWORKS, Request, Row, in_process, recorded
from tests.frameworks.cases.apps import OPTIONS, answers, forget, instrument
from tests.frameworks.cases.row import ASGI, WSGI
from tests.in_process import make_scope, serve_asgi
from tests.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("django_of_the_cases")

ROOT = Path(__file__).parents[2]
AT_ONCE = 60


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, "asyncio")


@pytest.fixture
def ours(telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, record_property):
    """Give a framework's app with us."""

    def ours(framework: str):
        record_property("framework", framework)
        app = contract.app_of(framework)
        return instrument(app, framework, twice=False, **OPTIONS, **telemetry.providers)

    yield ours
    forget()


def caller(number: int) -> Row:
    return Row(
        case=26, name=f"caller-{number}", requests=(Request(target=f"/caller/number-{number}"),)
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_requests_at_once_keep_their_records_apart(ours, telemetry: Telemetry, framework):
    app, rows = ours(framework), [caller(number) for number in range(AT_ONCE)]

    if framework in WSGI:
        with ThreadPoolExecutor(12) as pool:
            bodies = list(pool.map(lambda row: body_of_wsgi(app, row), rows))
    else:

        async def all_of_them():
            return await asyncio.gather(*(body_of_asgi(app, row) for row in rows))

        bodies = asyncio.run(all_of_them())

    names = [f"number-{number}" for number in range(AT_ONCE)]
    assert bodies == [name.encode() for name in names]
    paths = {
        span.attributes["url.path"]: span.attributes["apimetrics.consumer.id"]
        for span in telemetry.server_spans
    }
    assert paths == {f"/caller/{name}": name for name in names}
    assert telemetry.total() == AT_ONCE


def body_of_wsgi(app, row: Row) -> bytes:
    iterable = app(in_process.make_environ(row, 0, row.requests[0]), lambda *_: None)
    try:
        return b"".join(iterable)
    finally:
        if hasattr(iterable, "close"):
            iterable.close()


async def body_of_asgi(app, row: Row) -> bytes:
    connection = in_process._Connection(row, row.requests[0], seen := in_process.Served())
    scope = in_process.make_scope(row, 0, row.requests[0])
    await app(scope, connection.receive, connection.send)
    return seen.body


async def live(app) -> list:
    """Start and stop an app, and give what it said and how it failed."""
    said: list = []
    asked = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        return {"type": next(asked)}

    async def send(message):
        said.append(dict(message))

    try:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    except Exception as error:
        said.append((type(error), str(error)))
    return said


@pytest.mark.parametrize("framework", sorted(ASGI))
def test_the_lifespan_of_a_framework_is_its_own(ours, framework):
    answers.log[:] = []
    bare = asyncio.run(live(contract.app_of(framework)))
    noted, answers.log[:] = list(answers.log), []
    said = asyncio.run(live(ours(framework)))
    if framework == "django-asgi":
        # It has none and raises. Served in its place, so that the end of the server is told.
        assert bare[0][0] is ValueError
        assert [message["type"] for message in said] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]
    else:
        assert said == bare
        assert answers.log == noted


@pytest.mark.parametrize("framework", sorted(ASGI))
def test_a_scope_of_another_type_is_the_apps_business(ours, telemetry: Telemetry, framework):
    def outcome(app):
        seen = serve_asgi(app, {**make_scope(), "type": "webtransport"})
        return type(seen.error), str(seen.error), seen.sent

    bare = outcome(contract.app_of(framework))
    assert outcome(ours(framework)) == bare
    assert telemetry.spans == []
    assert telemetry.total() == 0


def test_an_asgi_2_app_is_refused_and_not_served_wrongly(instrumentor: ApiMetricsInstrumentor):
    def asgi_2(scope):
        raise AssertionError("called")

    with pytest.raises(ConfigError, match="neither|no WSGI and no ASGI"):
        instrumentor.instrument_app(asgi_2)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_worker_that_was_forked_records_its_requests_and_not_its_parents(
    tmp_path, framework, record_property
):
    record_property("framework", framework)
    records = tmp_path / "records.jsonl"
    command = [sys.executable, "-m", "tests.frameworks.forking", framework, str(records)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    found = [record.trace_id for record in recorded.read(records)]
    before = [] if framework == "django-asgi" else [forking.ROW[forking.BEFORE].trace_id]
    assert found == [*before, forking.ROW[forking.AFTER].trace_id]


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("framework", ["starlette", "fastapi"])
def test_a_compressing_middleware_may_be_on_either_side(
    telemetry: Telemetry, instrumentor: ApiMetricsInstrumentor, framework, outside, record_property
):
    from starlette.middleware.gzip import GZipMiddleware

    from tests.frameworks.cases.apps import build

    record_property("framework", framework)
    row = Row(
        case=7,
        name="compressed",
        requests=(Request(target="/say/huge", headers=(("Accept-Encoding", "gzip"),)),),
    )

    def make(*, recorded_too: bool):
        app = build(framework)
        if not outside:
            app.add_middleware(GZipMiddleware)
        if recorded_too:
            instrumentor.instrument_app(app, **{**OPTIONS, **telemetry.providers})
        return GZipMiddleware(app) if outside else app

    (bare,) = in_process.serve(make(recorded_too=False), framework, row)
    (ours,) = in_process.serve(make(recorded_too=True), framework, row)

    assert without_time(ours.body) == without_time(bare.body)
    assert ours.headers == bare.headers
    assert gzip.decompress(ours.body) == answers.ANSWERS["huge"].body
    attributes = telemetry.server_span.attributes
    size = len(answers.ANSWERS["huge"].body) if outside else len(ours.body)
    assert attributes["http.response.body.size"] == size
    assert "y" * 1000 in attributes["http.response.body.content"]


def without_time(body: bytes) -> bytes:
    """A gzip stream says when it was made (RFC 1952, MTIME)."""
    return body[:4] + body[8:]
