"""For how long a backend asks to be left alone (RFC 9110, section 10.2.3)."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Final

from otel_apimetrics.exporters.parcel import RETRIED, Answer

LONGEST_ASKED: Final = 300.0
"""Seconds that a `Retry-After` is honoured, at most."""


def asked_rest(answer: Answer) -> float:
    """Give the seconds for which a backend has asked to be left alone: 0 where it has not."""
    return _asked(answer.headers.get("retry-after", "")) if answer.status in RETRIED else 0.0


def _asked(value: str) -> float:
    """Read a `Retry-After` (RFC 9110, section 10.2.3): seconds, 0 where it cannot be read."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_ASKED)
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    seconds = (date - datetime.now(timezone.utc)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_ASKED)
