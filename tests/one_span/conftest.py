"""Fixtures of the tests about spans."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.one_span.asking import HEADERS
from tests.one_span.servers import Served, serve_asgi


@pytest.fixture
def ask_asgi() -> Iterator[Callable[..., Served]]:
    """Serve one request of an ASGI app, with a parent."""
    loop = asyncio.new_event_loop()

    def ask(app: Any, path: str, client: str = "stays") -> Served:
        return serve_asgi(loop, app, path, HEADERS, client)

    yield ask
    loop.close()
