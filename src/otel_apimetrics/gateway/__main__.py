"""Receive OTLP/HTTP on loopback and write it to a file: `python -m otel_apimetrics.gateway`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from otel_apimetrics._guard import swallow

_HOST = "127.0.0.1"


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a request; closing waits for those that are being answered."""

    daemon_threads = False

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        swallow("gateway.connection", sys.exc_info()[1] or ConnectionError())


class _Handler(WSGIRequestHandler):
    timeout = 10.0
    """Seconds without a byte after which a connection is given up."""

    def log_message(self, *_arguments: Any) -> None:
        """Keep quiet: one line a request helps nobody."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        arguments: the command line; `None` takes the process's own.

    Returns:
        0 after a signal, 1 where the port or the file cannot be had, 2 where the extra
        `gateway` is missing.
    """
    options = _parser().parse_args(arguments)
    try:
        from otel_apimetrics.gateway.json_lines import JsonLines
        from otel_apimetrics.gateway.receiver import Receiver
    except ImportError as error:
        return _fail(
            f"OTLP's messages (opentelemetry-proto) are missing: {error}."
            " Install the extra: pip install 'otel-apimetrics[gateway]'",
            status=2,
        )
    try:
        # Bodies of requests are in there: nobody but the owner reads them.
        descriptor = os.open(options.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        return _fail(f"cannot write to {options.file}: {error.strerror}")
    with open(descriptor, "ab", buffering=0) as stream:  # noqa: PTH123  a descriptor, no path
        try:
            server = _Server((_HOST, options.port), _Handler)
        except (OSError, OverflowError) as error:
            return _fail(f"cannot listen on {_HOST}:{options.port}: {error}")
        server.set_app(Receiver(JsonLines(stream)))
        _serve(server, options.file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m otel_apimetrics.gateway",
        description="Receive OTLP/HTTP on loopback and append it to a file, one request a line.",
    )
    parser.add_argument("--port", type=int, default=4318, help="0 picks a free one (%(default)s)")
    parser.add_argument(
        "--file", type=Path, default=Path("otlp.jsonl"), help="where lines go (%(default)s)"
    )
    return parser


def _serve(server: _Server, file: Path) -> None:
    def stop(_number: int, _frame: Any) -> None:
        # shutdown() waits for the loop that this handler interrupts: it needs a thread.
        Thread(target=server.shutdown, name="otel-apimetrics-gateway-stop").start()

    with server:
        previous = {number: signal.signal(number, stop) for number in _SIGNALS}
        try:
            where = f"http://{_HOST}:{server.server_port}"
            print(f"Receiving OTLP on {where}, writing to {file}", file=sys.stderr, flush=True)  # noqa: T201  the command line's own voice
            server.serve_forever(poll_interval=0.1)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _fail(message: str, *, status: int = 1) -> int:
    print(f"otel-apimetrics gateway: {message}", file=sys.stderr)  # noqa: T201  the command line's own voice
    return status


if __name__ == "__main__":
    sys.exit(main())
