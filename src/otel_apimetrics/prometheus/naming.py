"""Names of OpenTelemetry as names of Prometheus.

After "Prometheus and OpenMetrics Compatibility" of OpenTelemetry's specification, section "OTLP
Metric points to Prometheus": what Prometheus' classic names cannot hold becomes `_`, and the unit
is the end of the name.
"""

import re
from functools import lru_cache
from typing import Final

_ODD: Final = re.compile(r"[^a-zA-Z0-9_]+")
_ODD_IN_METRICS: Final = re.compile(r"[^a-zA-Z0-9_:]+")
_ANNOTATION: Final = re.compile(r"\{[^}]*\}")
_UNITS: Final = {
    "": "", "1": "",
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds",
    "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
    "TiBy": "tibibytes", "KBy": "kilobytes", "kBy": "kilobytes", "MBy": "megabytes",
    "GBy": "gigabytes", "TBy": "terabytes",
    "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams",
    "Cel": "celsius", "Hz": "hertz", "%": "percent",
}  # fmt: skip
_PER: Final = {
    "s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week",
    "mo": "month", "y": "year",
}  # fmt: skip


@lru_cache(maxsize=4_096)
def label_name(key: str) -> str:
    """Give the name of a label; one that begins with two underscores is Prometheus' own."""
    name = _ODD.sub("_", key) or "_"
    if name[0].isdigit():
        name = f"_{name}"
    return f"key{name}" if name.startswith("__") else name


def make_room(labels: dict[str, str], name: str) -> bool:
    """Give an app's label another name, where it has the name of one of Prometheus' own.

    The new name begins with `exported_`, as one that Prometheus gives where labels clash.

    Returns:
        There was such a label.
    """
    if name not in labels:
        return False
    free = f"exported_{name}"
    while free in labels:
        free = f"exported_{free}"
    labels[free] = labels.pop(name)
    return True


@lru_cache(maxsize=256)
def unit_name(unit: str) -> str:
    """Give a unit of UCUM in words; what stands in braces is a comment."""
    plain = _ANNOTATION.sub("", unit).strip()
    head, slash, below = plain.partition("/")
    words = _UNITS.get(head, _ODD.sub("_", head).strip("_"))
    if not slash or not below:
        return words
    per = f"per_{_PER.get(below, _ODD.sub('_', below).strip('_'))}"
    return f"{words}_{per}" if words else per


@lru_cache(maxsize=4_096)
def family_name(name: str, unit: str, *, counts: bool, ratio: bool = False) -> tuple[str, str]:
    """Give the name of a family, and its unit in words.

    Args:
        name: of the instrument.
        unit: of the instrument, in UCUM.
        counts: it is a counter, whose samples end with `_total`; the family does not.
        ratio: it is a gauge; where its unit is `1` that is said.
    """
    plain = _ODD_IN_METRICS.sub("_", name).strip("_")
    if plain[:1].isdigit():
        plain = f"_{plain}"
    if counts:
        plain = plain.removesuffix("_total")
    words = "ratio" if ratio and unit == "1" else unit_name(unit)
    if words and not (plain == words or plain.endswith(f"_{words}")):
        plain = f"{plain}_{words}"
    return plain, words
