"""Sends the traffic to an app in a process of its own, and gives what its vendor was sent."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.exporters.sink import Received, sink
from tests.parity.traffic import send, steps

ROOT = Path(__file__).parents[2]

Events = dict[str, dict[str, Any]]
"""What a vendor was told of each step."""


def run(
    vendor: str,
    way: str,
    framework: str,
    events: Callable[[list[Received]], Events],
    *,
    python: str = sys.executable,
    prepare: Callable[[Any], None] = lambda backend: None,
) -> Events:
    """Run the traffic once.

    Args:
        vendor: names the modules of `tests.parity.vendors`.
        way: "sdk", "exchanges" or "spans".
        framework: "flask" or "fastapi".
        events: finds the steps in the requests that the vendor got.
        python: the interpreter, of an environment that has the vendor's SDK.
        prepare: plans what the backend answers.
    """
    with sink() as backend:
        prepare(backend)
        port = _free_port()
        arguments = [vendor, way, framework, str(port), backend.url]
        path = os.pathsep.join([str(ROOT), *([str(ROOT / "src")] if way != "sdk" else [])])
        server = subprocess.Popen(
            [python, "-m", "tests.parity.serve", *arguments],
            cwd=ROOT,
            env={**_environment(), "PYTHONPATH": path, "TZ": "UTC"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, server)
            for step in steps():
                send(step, port)
            expected = {step.name for step in steps()}
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline and not expected <= events(backend.received).keys():
                backend.wait_for_more(0.25)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(10)
        return events(backend.received)


def _environment() -> dict[str, str]:
    """Give this shell's variables, but for those that have an SDK believe that it is in a test."""
    kept = os.environ.items()
    return {name: text for name, text in kept if not name.startswith(("PYTEST", "OTEL", "CI"))}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server has ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not listen")
