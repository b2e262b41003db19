"""In a subinterpreter we say so and stay off, and the app runs."""

import sys

import pytest

from otel_apimetrics import interpreter
from tests.one_span.processes import run_python

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="other implementations have one interpreter"
)

OTHER = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    other = interpreters.create("legacy")
else:
    import _xxsubinterpreters as interpreters
    other = interpreters.create(isolated=False)
failed = interpreters.run_string(other, '''
import asyncio, logging, sys
sys.path[:] = {path!r}
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
from otel_apimetrics.autoload import pre_instrument
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"the app's"]
async def asgi(scope, receive, send):
    await send("the app's")
pre_instrument()
ApiMetricsInstrumentor().instrument()
ApiMetricsInstrumentor().instrument_app(app)({{}}, print)
served = ApiMetricsInstrumentor().instrument_app(app)
assert served is app, served
print(ApiMetricsWSGIMiddleware(app)({{}}, print))
async def send(message):
    print(message)
asyncio.run(ApiMetricsASGIMiddleware(asgi)({{}}, None, send))
''')
assert failed is None, failed
"""


def test_an_app_in_a_subinterpreter_runs_without_us_and_is_told_the_remedy():
    said = run_python(OTHER.format(path=sys.path)).splitlines()

    lines = [line for line in said if "subinterpreter" in line]
    assert len(lines) == 2  # the instrumentor's, and the middlewares'
    for line in lines:
        assert "otel-apimetrics is off" in line
        assert "single-interpreter = true" in line
        assert "WSGIApplicationGroup" in line
    assert said.count("200 OK []") == 2
    assert '[b"the app\'s"]' in said
    assert said[-1] == "the app's"


def test_a_process_begins_in_its_main_interpreter():
    assert interpreter.is_main()
