"""Which format a client gets, by its header `Accept` (RFC 9110, 12.5.1).

prometheus_client's encoders are chosen by a header too, but the weights are nothing to it, and a
version that is no number is an error. So it is asked with what was chosen here.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_OPENMETRICS: Final = "application/openmetrics-text"
_TEXT: Final = "text/plain"
_ANY: Final = frozenset({_TEXT, "text/*", "*/*"})
_ELEMENT: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_PART: Final = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_VERSION: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}")
_NEW: Final = (1, 0, 0)
_WEIGHT: Final = re.compile(r"[01](?:\.[0-9]*)?")
_ESCAPINGS: Final = frozenset({"allow-utf-8", "underscores", "dots", "values"})


class _Known(NamedTuple):
    """A media range that the formats of ours are in."""

    format: str
    """As prometheus_client takes it; empty stands for text 0.0.4."""
    weight: float


def best(accept: str) -> str:
    """Give the format that a client likes best.

    Of those it likes alike the first goes before text 0.0.4, which a client gets, too, that takes
    none. What cannot be read is passed over.

    Args:
        accept: the header; empty where there is none.

    Returns:
        A media type that `choose_encoder` of prometheus_client takes; empty for text 0.0.4.
    """
    liked = [known for known in _known(accept) if known.weight > 0]
    chosen = max(liked, key=lambda one: (one.weight, bool(one.format)), default=None)
    return "" if chosen is None else chosen.format


def first(accept: str) -> str:
    """Give the format that prometheus_client would choose: the first but text 0.0.4, of any weight.

    Args:
        accept: the header; empty where there is none.

    Returns:
        As `best`.
    """
    return next((known.format for known in _known(accept) if known.format), "")


def _known(accept: str) -> Iterator[_Known]:
    for element in _ELEMENT.findall(accept):
        kind, *parts = [part.strip() for part in _PART.findall(element)] or [""]
        named = dict(_parameter(part) for part in reversed(parts))
        form = _format(kind.lower(), named)
        if form is not None:
            yield _Known(form, _weight(named.get("q", "1")))


def _parameter(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _weight(said: str) -> float:
    return min(float(said), 1.0) if _WEIGHT.fullmatch(said) else 1.0


def _format(kind: str, named: dict[str, str]) -> str | None:
    version = named.get("version", "")
    if version and not _VERSION.fullmatch(version):
        return None
    is_new = bool(version) and (*map(int, version.split(".")),) >= _NEW
    if kind in {_OPENMETRICS, _TEXT} and is_new:
        escaping = named.get("escaping", "")
        more = f";escaping={escaping}" if escaping in _ESCAPINGS else ""
        return f"{kind};version={version}{more}"
    if kind == _OPENMETRICS:
        return None if version else kind
    return "" if kind in _ANY else None
