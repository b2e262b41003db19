"""Requests with a parent, and the one record that each must leave."""

from __future__ import annotations

from typing import Any

from tests.one_span.servers import Served, serve_wsgi
from tests.telemetry import Telemetry

RECORD = "apimetrics.exchange.id"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


def ask(
    app: Any, path: str, client: str = "stays", headers: dict[str, str] | None = None
) -> Served:
    """Serve one request of a WSGI app, with a parent unless other headers are given."""
    return serve_wsgi(app, path, HEADERS if headers is None else headers, client)


def assert_one_record(telemetry: Telemetry, route: str | None) -> None:
    """Check that one request left one SERVER span with the record, under the parent sent."""
    span = telemetry.server_span
    seen = {
        "records": [other.name for other in telemetry.spans if RECORD in other.attributes],
        "on the SERVER span": RECORD in span.attributes,
        "route": span.attributes.get("http.route"),
        "trace": f"{span.context.trace_id:032x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "counted": telemetry.total(),
    }
    assert seen == {
        "records": [span.name],
        "on the SERVER span": True,
        "route": route,
        "trace": TRACE,
        "parent": PARENT,
        "counted": 1,
    }, seen
