"""How each server is started with the app of the rows, by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.servers.serving import BIN, uwsgi

APP = "tests.servers.apps.served_with_gate:app"

_WERKZEUG = """
from werkzeug.serving import run_simple
from tests.servers.apps.served_with_gate import app
run_simple("127.0.0.1", {port}, app, threaded=True)
"""


def _gunicorn(kind: str, *more: str) -> list[str | Path]:
    return [BIN / "gunicorn", "--bind", "127.0.0.1:{port}", "-k", kind, *more, APP]


def _granian(kind: str) -> list[str | Path]:
    options = ("--interface", kind, "--no-access-log", "--loop", "asyncio")
    return [BIN / "granian", "--host", "127.0.0.1", "--port", "{port}", *options, APP]


def _uwsgi(*more: str) -> list[str | Path]:
    return uwsgi("--socket-timeout", "1", "--module", APP, *more)


def _http1(name: str) -> list[str | Path]:
    return [BIN / "uvicorn", "--port", "{port}", "--http", name, "--loop", "asyncio", APP]


WSGI: dict[str, Sequence[str | Path]] = {
    "werkzeug": [sys.executable, "-c", _WERKZEUG],
    "gunicorn-sync": _gunicorn("sync"),
    "gunicorn-gthread": _gunicorn("gthread", "--threads", "2"),
    "gunicorn-gevent": _gunicorn("gevent"),
    "waitress": [BIN / "waitress-serve", "--listen", "127.0.0.1:{port}", APP],
    "uwsgi-prefork": _uwsgi("--processes", "2"),
    "uwsgi-lazy-apps": _uwsgi("--lazy-apps"),
    "uwsgi-threads": _uwsgi("--threads", "2", "--enable-threads"),
    "granian-wsgi": _granian("wsgi"),
}
ASGI: dict[str, Sequence[str | Path]] = {
    "uvicorn": _http1("h11"),
    "gunicorn-uvicorn": _gunicorn("uvicorn.workers.UvicornWorker"),
    "gunicorn-asgi": _gunicorn("asgi"),
    "hypercorn": [BIN / "hypercorn", "--bind", "127.0.0.1:{port}", APP],
    "granian-asgi": _granian("asgi"),
}
HTTP2 = ("hypercorn", "granian-wsgi", "granian-asgi")
"""Those that speak it without TLS."""
