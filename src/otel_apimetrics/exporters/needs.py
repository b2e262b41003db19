"""What exporters want to see of a request, and what is captured for them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from otel_apimetrics.config import Config


@dataclass(frozen=True, slots=True)
class Needs:
    """What an exporter's vendor shows to its users. An exporter names its own as `needs`."""

    bodies: bool = False
    headers: bool = False


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
