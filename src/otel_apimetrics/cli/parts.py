"""One redacted part of what was read."""

from typing import NamedTuple

from otel_apimetrics.redaction.explain import Explanation


class Part(NamedTuple):
    """A text with what its redaction found."""

    path: str
    """Where it stands in an HTTP Archive; "" for what is no archive."""
    explanation: Explanation
    is_json: bool = False
    """It is one JSON document."""
    title: str = ""
    """What it is, for people: the name of a header."""
