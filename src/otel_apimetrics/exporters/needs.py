"""What exporters want to see of a request, and what is captured for them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from otel_apimetrics.config import Config
from otel_apimetrics.content import MOST_TEXT

MOST_WANTED: Final = 256 * 1024
"""Bytes of each body that are captured for an exporter at most."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an exporter's vendor shows to its users. An exporter names its own as `needs`."""

    bodies: bool = False
    headers: bool = False
    max_body_size: int | None = None
    """Bytes of each body that the vendor takes, at most `MOST_WANTED` of which are captured;
    `None`: what is captured anyway."""


_NONE = Needs()


def widened(config: Config, exporters: Iterable[Any]) -> Config:
    """Capture what the exporters need, redacted, but for what the user has decided otherwise."""
    needs = [getattr(exporter, "needs", _NONE) for exporter in exporters]
    wanted: dict[str, Any] = {}
    if any(need.bodies for need in needs) and "capture_body" not in config.given:
        wanted["capture_body"] = "all"
    if any(need.headers for need in needs) and "capture_headers" not in config.given:
        wanted["capture_headers"] = "all"
    return replace(config, **wanted) if wanted else config


def body_limit(config: Config, exporter: Any) -> int:
    """Give how many bytes of each body an exporter is shown.

    What its user has said of `max_body_size` is the most for all exporters; without that, an
    exporter may want more than is on spans.
    """
    wanted: int | None = getattr(exporter, "needs", _NONE).max_body_size
    if wanted is None:
        return min(config.max_body_size, MOST_TEXT)
    most = config.max_body_size if "max_body_size" in config.given else MOST_WANTED
    return max(0, min(wanted, MOST_WANTED, most))
