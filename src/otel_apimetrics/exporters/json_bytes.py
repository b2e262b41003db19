"""JSON as bytes, whatever the values: one that no backend could read becomes a string."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_DEEPEST: Final = 64
"""Levels of objects and lists; what is deeper becomes a string."""

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def json_bytes(value: Any) -> bytes:
    """Write a JSON-like value (RFC 8259).

    Args:
        value: mappings, sequences, strings, numbers, booleans and `None`; others by their text,
            numbers that JSON has no word for (NaN) and what is deeper than 64 levels too.

    Returns:
        UTF-8 without blanks; halves of surrogate pairs, which UTF-8 has no bytes for, as `?`.
    """
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError):
        text = _encode(_plain(value, 0))
    return text.encode("utf-8", "replace")


def json_array(written: Iterable[bytes]) -> bytes:
    """Put values that `json_bytes` has written into one array."""
    return b"[%b]" % b",".join(written)


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int)):
        # Also of subclasses, whose text may be anything.
        return value if value is None or isinstance(value, bool) else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return str(value)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth + 1) for item in value]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, (Mapping, Sequence, set, frozenset)):
        return f"[{type(value).__name__}]"
    try:
        return str(value)
    except Exception:
        return f"[{type(value).__name__}]"
