"""What is compared."""

from dataclasses import dataclass
from typing import Any

FRAMEWORKS = ("flask", "fastapi")

_IDENTIFY = {"identify": "header:x-client-id"}
_OFF = {**_IDENTIFY, "capture_body": "off"}
_LEAN = {**_OFF, "capture_headers": "off"}
_FULL = {**_IDENTIFY, "capture_body": "all", "capture_headers": "all"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of recording, or of not recording, the same app."""

    name: str
    says: str
    producer: str = ""
    """Who else records: "floor", "contrib", "contrib-floor" (both), "native" (FastAPI's own
    telemetry), "": nobody."""
    options: dict[str, Any] | None = None
    """Ours, `None`: not installed."""
    payload: str = "secret"
    sampled: bool = True
    """False: the trace sampler drops every span."""
    frameworks: tuple[str, ...] = FRAMEWORKS

    @property
    def exports(self) -> bool:
        """Tell whether anything is recorded at all."""
        return bool(self.producer) or self.options is not None


_ONLY_FASTAPI = ("fastapi",)

VARIANTS: tuple[Variant, ...] = (
    Variant(name="bare", says="the app alone"),
    Variant(
        name="floor",
        says="the span, histogram and counter of own-full by bare SDK calls",
        producer="floor",
    ),
    Variant(name="contrib", says="contrib's instrumentor, its defaults", producer="contrib"),
    Variant(name="own-off", says="ours, our span, bodies off, safe headers", options=_OFF),
    Variant(name="own-full", says="ours, our span, all bodies and headers", options=_FULL),
    Variant(
        name="own-full-clean",
        says="own-full where the body has nothing to redact",
        options=_FULL,
        payload="clean",
    ),
    Variant(
        name="own-metrics",
        says="ours, bodies off, trace sampler always_off",
        options=_OFF,
        sampled=False,
    ),
    Variant(
        name="contrib-floor",
        says="what adopted-off adds to contrib, by bare SDK calls",
        producer="contrib-floor",
    ),
    Variant(
        name="adopted-off",
        says="ours on contrib's span, bodies off",
        producer="contrib",
        options=_OFF,
    ),
    Variant(
        name="adopted-lean",
        says="ours on contrib's span, bodies and headers off",
        producer="contrib",
        options=_LEAN,
    ),
    Variant(
        name="adopted-full",
        says="ours on contrib's span, all bodies and headers",
        producer="contrib",
        options=_FULL,
    ),
    Variant(
        name="native",
        says="FastAPI's own telemetry, its defaults",
        producer="native",
        frameworks=_ONLY_FASTAPI,
    ),
    Variant(
        name="native-off",
        says="ours on FastAPI's own span, bodies off",
        producer="native",
        options=_OFF,
        frameworks=_ONLY_FASTAPI,
    ),
    Variant(
        name="native-full",
        says="ours on FastAPI's own span, all bodies and headers",
        producer="native",
        options=_FULL,
        frameworks=_ONLY_FASTAPI,
    ),
)


def of(framework: str) -> list[Variant]:
    """Give the variants of one framework, the bare app first."""
    return [variant for variant in VARIANTS if framework in variant.frameworks]


def named(framework: str, name: str) -> Variant:
    """Find a variant.

    Raises:
        KeyError: the framework has none of this name.
    """
    return {variant.name: variant for variant in of(framework)}[name]
