"""Many requests, no two alike, and the second half of them leaves nothing behind.

The gate serves a part of them; `python -m tests.bounds.test_flat_memory` serves 200,000.
"""

import asyncio
import gc
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsWSGIMiddleware,
    Exchange,
    open_requests,
    set_consumer,
)
from otel_apimetrics.content import buffer
from tests.in_process import make_environ

REQUESTS = 200_000
IN_THE_GATE = 70_000
MEASURED = 20
"""How often memory is looked at."""
MOST_BLOCKS = 2_000
"""Objects of the interpreter that may be more: one request in 25 that left an object would
pass this."""
MOST_KIB = 4_096
"""Memory of the process that may be more: a request that left 84 bytes would pass this."""


def consumer_of(exchange: Exchange) -> str:
    return exchange.request.query


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("X-Number", body[6:].decode())]
    )
    return [body]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    set_consumer(scope["path"], group=scope["path"])
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": scope["headers"]})
    await send({"type": "http.response.body", "body": scope["query_string"]})


def serve_wsgi(app: Any, index: int) -> None:
    environ = make_environ(
        f"M{index}" if index % 100 == 0 else "POST",
        f"/items/{index}",
        query=f"n={index}",
        body=b'{"n": %d}' % index,
        headers={
            "Content-Type": "application/json",
            f"X-{index}": "v",
            "Host": f"h{index}.example",
        },
        REMOTE_ADDR=f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}",
    )
    for _ in app(environ, lambda *_: None):
        pass


async def serve_asgi(app: Any, index: int) -> None:
    number = b"%d" % index
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "POST",
        "path": f"/items/{index}",
        "raw_path": b"/items/" + number,
        "query_string": b"n=" + number,
        "headers": [(b"content-type", b"a/b; charset=" + number), (b"x-" + number, number)],
        "client": (f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}", index & 65_535),
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"query": "query Q%d { a }"}' % index}

    async def send(message: Any) -> None: ...

    await app(scope, receive, send)


def options() -> dict[str, Any]:
    return {
        # One in fifty goes all the way to a span: all would take minutes.
        "tracer_provider": TracerProvider(TraceIdRatioBased(0.02), shutdown_on_exit=False),
        "meter_provider": MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False),
        "capture_body": "all",
        "metric_labels": ["graphql.operation.name"],
        "identify": consumer_of,
    }


def measure() -> tuple[int, int]:
    """Objects of this process, and the most KiB that it ever had."""
    gc.collect()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return sys.getallocatedblocks(), most // 1024 if sys.platform == "darwin" else most


def main(kind: str, requests: int) -> None:
    """Serve half of the requests, and print how much more was held at the highest point of the
    second half of them than at that of the first."""
    measured: list[tuple[int, int]] = []
    gc.freeze()  # modules need not be looked through each time

    async def serve() -> None:
        bare = ApiMetricsWSGIMiddleware(wsgi, **options())
        other = ApiMetricsASGIMiddleware(asgi, **options())
        for index in range(requests // 2):
            if kind == "wsgi":
                serve_wsgi(bare, index)
            else:
                await serve_asgi(other, index)
            # Caches are emptied when they are full: what counts is the highest point.
            if index % (requests // 2 // MEASURED) == 0:
                measured.append(measure())

    asyncio.run(serve())
    assert open_requests.count() == buffer.in_flight() == 0
    first, second = measured[: MEASURED // 2], measured[MEASURED // 2 :]
    highest = [[max(column) for column in zip(*half, strict=True)] for half in (first, second)]
    print(highest[1][0] - highest[0][0], highest[1][1] - highest[0][1])


def check(requests: int) -> None:
    code = "from tests.bounds.test_flat_memory import main; main({!r}, {})"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code.format(kind, requests)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kind in ("wsgi", "asgi")
    ]
    for process in both:
        told, complaints = process.communicate(timeout=900)
        assert process.returncode == 0, complaints
        blocks, kib = map(int, told.split())
        assert blocks < MOST_BLOCKS
        assert kib < MOST_KIB


@pytest.mark.e2e
def test_requests_leave_no_memory_behind():
    check(IN_THE_GATE)


if __name__ == "__main__":
    check(REQUESTS)
