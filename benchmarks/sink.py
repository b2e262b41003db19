"""The other end of OTLP: takes everything, answers 200, and tells on request what came."""

import json
import sys
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_bodies: defaultdict[str, list[bytes]] = defaultdict(list)


class Handler(BaseHTTPRequestHandler):
    """`POST /<label>/v1/...` keeps, `GET /<label>` counts and forgets."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Keep a body."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        _, label, signal = self.path.split("/", 2)
        if signal == "v1/traces":
            _bodies[label].append(body)
        self._answer(b"")

    def do_GET(self) -> None:
        """Decode what came since the last question."""
        bodies = _bodies.pop(self.path.lstrip("/"), [])
        spans = 0
        for body in bodies:
            message = ExportTraceServiceRequest.FromString(body)
            spans += sum(len(s.spans) for r in message.resource_spans for s in r.scope_spans)
        self._answer(json.dumps({"spans": spans, "bytes": sum(map(len, bodies))}).encode())

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


def main() -> None:
    """Serve until the parent closes the pipe."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
