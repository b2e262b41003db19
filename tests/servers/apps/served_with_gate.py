"""The app of the rows, and a stream that goes on once a file is there (`CASES_GATE`)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.frameworks.cases.apps import answers

WAITS = 1_000


def gated() -> Iterator[bytes]:
    """Say the first word, then wait, with a comment now and then that a buffer would keep."""
    gate = Path(os.environ["CASES_GATE"])
    yield b"data: first\n\n"
    for _ in range(WAITS):
        if gate.exists():
            yield b"data: last\n\n"
            return
        time.sleep(0.01)
        yield b":\n\n"


answers.ANSWERS["gated"] = answers.Answer(content_type="text/event-stream", chunks=gated)

from tests.frameworks.cases.served import app  # noqa: E402  it takes the answers over

__all__ = ["app"]
