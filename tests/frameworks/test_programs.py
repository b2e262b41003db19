"""The main property: no app and no server can tell that we are there.

Generated apps, requests and servers, with every kind of configuration: response bytes, their
order and chunks, headers, statuses, exceptions, `close`, the order of `send` and `receive`, reads
of the input, the lifespan. And each request leaves one span, or none where that was asked for.
"""

from __future__ import annotations

import asyncio
import os
from functools import cache
from typing import Any

import pytest
import starlette.routing  # noqa: F401  where it is, plain apps are asked for a route too
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware, open_requests
from otel_apimetrics.config import build
from otel_apimetrics.wiring import make_pipeline
from tests.frameworks.programs import asgi, lifespan, wsgi
from tests.telemetry import Telemetry

pytestmark = pytest.mark.swallows_errors


def _failing(exchange: Any) -> Any:
    raise LookupError("a hook of the user's fails")


class Down:
    """An exporter that cannot deliver."""

    def export(self, spans: Any) -> Any:
        raise LookupError("nobody listens")

    def shutdown(self) -> None:
        pass


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"capture_body": "all"},
    {"capture_body": "errors"},
    {"capture_body": "schema", "capture_headers": "off"},
    {"capture_body": "all", "capture_headers": "all", "max_body_size": 3},
    {"capture_body": "all", "max_body_size": 0},
    {"capture_body": "all", "skip": lambda exchange: True},
    {"capture_body": "all", "identify": _failing, "label": _failing, "skip": _failing},
    {"capture_body": "all", "excluded_paths": ["^/excluded$"], "identify": "header:x-client"},
    {"capture_body": "all", "sample_rate": 0.5, "exporters": [Down()]},
    {"capture_body": "all", "sample_rate": _failing, "exporters": [Down()]},
    {"metrics": "all", "client_ip": "off"},
    {"metrics": "off", "capture_headers": ["content-type"]},
)
telemetry = Telemetry()


@cache
def pipeline_of(number: int) -> Any:
    return make_pipeline(build({**telemetry.providers, **OPTIONS[number]}, {}))


@pytest.fixture(autouse=True)
def delivered():
    """Let the exporters fail here, and not in somebody else's test."""
    yield
    for number in range(len(OPTIONS)):
        for outlet in pipeline_of(number).outlets:
            assert outlet.flush(30)


def leaves_a_span(number: int, path: str) -> bool:
    return not ("excluded_paths" in OPTIONS[number] and path == "/excluded")


ENDED_AND_RAISED = [("send", {"type": "http.response.body"}, False), ("raise", "ValueError")]
OURS = st.integers(0, len(OPTIONS) - 1)
MANY = settings(
    max_examples=int(os.environ.get("CONTRACT_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def only_hooks_failed(swallowed: list[tuple[str, BaseException]]) -> None:
    """Fail where something else than a hook of the user's was caught by us.

    And let go of what was caught: its traceback holds what nobody else does any more.
    """
    ours = [(place, error) for place, error in swallowed if not isinstance(error, LookupError)]
    assert ours == []
    swallowed.clear()


def test_no_wsgi_app_and_no_server_can_tell_that_we_are_there(no_swallowed_errors, record_property):
    examples = 0

    @MANY
    @given(program=wsgi.PROGRAMS, call=wsgi.CALLS, number=OURS)
    def property_(program: wsgi.Program, call: wsgi.Call, number: int) -> None:
        nonlocal examples
        examples += 1
        event(program.shape)
        without: wsgi.Log = []
        wsgi.serve(wsgi.app_of(program, without), call, without)
        ours: wsgi.Log = []
        app = ApiMetricsWSGIMiddleware(wsgi.app_of(program, ours), pipeline=pipeline_of(number))
        telemetry.exporter.clear()
        wsgi.serve(app, call, ours)
        only_hooks_failed(no_swallowed_errors)
        assert ours == without
        assert open_requests.current.get() is None
        if call.closes == 0 and ("file", True) in ours:
            # The server's own file object, which it never closes: nobody tells us of its end.
            for request in tuple(open_requests._open):
                request.abandon()
        assert open_requests.count() == 0
        assert len(telemetry.server_spans) == leaves_a_span(number, call.path)

    property_()
    record_property("framework", "wsgi")
    record_property("examples", examples)


def test_no_asgi_app_and_no_server_can_tell_that_we_are_there(no_swallowed_errors, record_property):
    examples = 0

    @MANY
    @given(program=asgi.PROGRAMS, call=asgi.CALLS, number=OURS)
    @example(program=ENDED_AND_RAISED, call=asgi.EASY, number=1)
    def property_(program: list[Any], call: asgi.Call, number: int) -> None:
        nonlocal examples
        examples += 1
        without: wsgi.Log = []
        asyncio.run(asgi.serve(asgi.app_of(program, without), call, without))
        ours: wsgi.Log = []
        app = ApiMetricsASGIMiddleware(asgi.app_of(program, ours), pipeline=pipeline_of(number))
        telemetry.exporter.clear()
        asyncio.run(asgi.serve(app, call, ours))
        only_hooks_failed(no_swallowed_errors)
        assert ours == without
        assert open_requests.count() == 0
        assert len(telemetry.server_spans) == leaves_a_span(number, call.path)

    property_()
    record_property("framework", "asgi")
    record_property("examples", examples)


def test_no_lifespan_can_tell_that_we_are_there(no_swallowed_errors, record_property):
    examples = 0

    @MANY
    @given(program=lifespan.PROGRAMS)
    def property_(program: list[Any]) -> None:
        nonlocal examples
        examples += 1
        without: wsgi.Log = []
        asyncio.run(lifespan.serve(lifespan.app_of(program, without), without))
        ours: wsgi.Log = []
        app = ApiMetricsASGIMiddleware(lifespan.app_of(program, ours), pipeline=pipeline_of(0))
        asyncio.run(lifespan.serve(app, ours))
        only_hooks_failed(no_swallowed_errors)
        if lifespan.is_silent(program):
            # The one thing that we say in an app's place: it has no lifespan, and a server that
            # is not asked tells nobody of its end.
            said = [entry[1] for entry in ours if entry[0] == "send"]
            assert [message["type"] for message in said] == [
                "lifespan.startup.complete",
                "lifespan.shutdown.complete",
            ]
            ours = [entry for entry in ours if entry[0] not in {"send", "receive"}]
        assert ours == without

    property_()
    record_property("framework", "asgi lifespan")
    record_property("examples", examples)
