"""What the apps of the privacy tests play: answers that a test has written into a file.

Not in the request, or a secret of the answer would be one of the request's.
"""

import contextlib
import json
import logging
import os
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry import trace

from otel_apimetrics import Company, add_label, add_metadata, set_consumer

# Without a handler of the app's own, what we log would not be on stderr.
logging.basicConfig(level=logging.INFO)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Answer:
    """One line of the script; the request names its offset in the file."""

    def __init__(self, offset: str) -> None:
        with Path(os.environ["CANARY_SCRIPT"]).open("rb") as script:
            script.seek(int(offset))
            self._said: dict[str, Any] = json.loads(script.readline())

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._said.get("headers", ())]

    @property
    def body(self) -> bytes:
        return b64decode(self._said.get("body", ""))

    @property
    def chunked(self) -> bool:
        return bool(self._said.get("chunked"))

    @property
    def refusal(self) -> dict[str, Any] | None:
        """What validation refuses."""
        return self._said.get("refuse")

    def chunks(self) -> Iterator[bytes]:
        body = self.body
        for start in range(0, len(body), 5_000):
            yield body[start : start + 5_000]

    def play(self) -> None:
        """Say what the app says about a request, and raise what it raises."""
        self._say(self._said.get("say", {}))
        self._fail_inside()
        if "raise" in self._said:
            cause = KeyError(self._said.get("cause", "nothing"))
            raise ValueError(self._said["raise"]) from cause

    def _fail_inside(self) -> None:
        tracer = trace.get_tracer("canaries")
        if "child" in self._said:
            with contextlib.suppress(LookupError):
                with tracer.start_as_current_span("look up"):
                    raise LookupError(self._said["child"])
        if "status" in self._said:
            with tracer.start_as_current_span("charge") as span:
                span.set_status(trace.Status(trace.StatusCode.ERROR, self._said["status"]))
                span.set_attribute("error.message", self._said["status"])

    def _say(self, say: dict[str, Any]) -> None:
        if "id" in say:
            set_consumer(
                say["id"],
                name=say["name"],
                email=say["email"],
                group=say["group"],
                company=Company(id=say["company"], name=say["company_name"]),
                session=say["session"],
            )
            add_label("tier", say["tier"])
        for name, value in say.get("labels", ()):
            add_label(name, value)
        for name, value in say.get("metadata", {}).items():
            add_metadata(name, value)


def label(exchange: Any) -> dict[str, str]:
    """Fail as a hook of a user's may: with a message that quotes the request."""
    if exchange.request.path == "/hooks":
        raise ValueError(f"no label for {exchange.request.query}")
    return {}


def skip(exchange: Any) -> bool:
    """Fail like `label`."""
    if exchange.request.path == "/hooks":
        raise RuntimeError(exchange.request.query)
    return False
