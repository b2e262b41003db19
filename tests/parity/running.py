"""Sends the traffic to an app in a process of its own, and gives what its vendor was sent."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.exporters.sink import Received, sink
from tests.parity.traffic import send, steps
from tests.servers.serving import serving

ROOT = Path(__file__).parents[2]

_KEPT = {
    name: text for name, text in os.environ.items() if not name.startswith(("PYTEST", "OTEL", "CI"))
}
"""Without what has an SDK believe that it is in a test. Read once: pytest notes the current test
there, and runs are made in threads."""

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
    sources = [ROOT / "src"] if way != "sdk" else []
    variables = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *sources))), "TZ": "UTC"}
    command = [python, "-m", "tests.parity.serve", vendor, way, framework, "{port}"]
    with sink() as backend, TemporaryDirectory() as directory:
        prepare(backend)
        with serving(
            [*command, backend.url],
            Path(directory) / "log",
            _KEPT | variables,
            end_with=signal.SIGINT,
        ) as server:
            for step in steps():
                send(step, server.port)
            expected = {step.name for step in steps()}
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline and not expected <= events(backend.received).keys():
                backend.wait_for_more(0.25)
    return events(backend.received)
