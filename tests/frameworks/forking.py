"""Serves one request before a fork and one after it, and prints what was recorded of both.

`python -m tests.frameworks.forking FRAMEWORK RECORDS`
"""

from __future__ import annotations

import os
import sys
import warnings

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.frameworks.cases import ROWS
from tests.frameworks.cases.apps import OPTIONS, build, instrument
from tests.frameworks.cases.in_process import serve
from tests.frameworks.cases.recorded import FileSpanExporter

BEFORE, AFTER = "a-route-with-a-parameter", "no-proxy"
ROW = {row.name: row for row in ROWS}


def main(framework: str, records: str) -> int:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(records)))
    providers = {"tracer_provider": provider, "meter_provider": MeterProvider()}
    app = instrument(build(framework), framework, **OPTIONS, **providers)
    if framework != "django-asgi":  # its executor's threads are not there after a fork, us or not
        serve(app, framework, ROW[BEFORE])
    warnings.simplefilter("ignore", DeprecationWarning)  # that threads and forks do not agree
    child = os.fork()
    if child == 0:
        serve(app, framework, ROW[AFTER])
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
