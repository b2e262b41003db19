"""One server a framework: gunicorn's sync worker for WSGI, uvicorn for ASGI."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.frameworks.cases.row import WSGI

ROOT = Path(__file__).parents[2]
APP = "tests.frameworks.cases.served:app"
STOP = 30
"""Seconds that a server may take to stop."""


def server_of(framework: str) -> str:
    """Name the reference server of a framework."""
    return "gunicorn" if framework in WSGI else "uvicorn"


def _command(framework: str, listening: int) -> list[str]:
    if framework in WSGI:
        # Loaded before the fork: what we started in the master is not the worker's.
        return [
            *("gunicorn", APP, "--preload", "--workers=1", "--worker-class=sync"),
            *(f"--bind=fd://{listening}", "--log-level=critical", "--no-control-socket"),
        ]
    return [
        *("uvicorn", APP, f"--fd={listening}", "--no-proxy-headers", "--log-level=critical"),
        *("--http=h11", "--ws=wsproto", "--no-access-log"),
    ]


@contextmanager
def running(framework: str, records: Path | None, log: Path) -> Iterator[tuple[str, int]]:
    """Serve the app of a framework, and give the address. At the end the server is stopped.

    The socket listens before the server does: nobody has to wait for it.

    Args:
        framework: of the app.
        records: a file for its records; `None`: without us.
        log: a file for what the server says.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    # Werkzeug tells methods in the order of a set.
    environment = {**inherited, "CASES_FRAMEWORK": framework, "PYTHONHASHSEED": "0"}
    if records is not None:
        environment["CASES_RECORDS"] = str(records)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening, log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *_command(framework, listening.fileno())],
            cwd=ROOT,
            env=environment,
            pass_fds=[listening.fileno()],
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield listening.getsockname()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
