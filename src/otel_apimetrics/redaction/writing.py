"""JSON text of what was decoded and masked, in the spelling of the wire where nothing was."""

import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

from otel_apimetrics.redaction.walk import Number, Pairs

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def written(value: Any, *, spaced: bool) -> str:
    """Write a value.

    Args:
        value: `Pairs`, lists, strings, `Number`s, booleans and `None`.
        spaced: with a blank behind each comma and colon.
    """
    parts: list[str] = []
    _write(value, parts.append, *((", ", ": ") if spaced else (",", ":")))
    # Half of a surrogate pair cannot be encoded: spell it as JSON does.
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", "".join(parts))


def _write(value: Any, add: Callable[[str], object], comma: str, colon: str) -> None:
    if isinstance(value, Number):
        add(value)
    elif isinstance(value, str):
        add(encode_basestring(value))
    elif isinstance(value, Pairs):
        before = "{"
        for key, member in value:
            add(f"{before}{encode_basestring(key)}{colon}")
            _write(member, add, comma, colon)
            before = comma
        add("}" if value else "{}")
    elif isinstance(value, list):
        before = "["
        for item in value:
            add(before)
            _write(item, add, comma, colon)
            before = comma
        add("]" if value else "[]")
    else:
        add(_LITERALS[value])


_LITERALS: Final = {None: "null", True: "true", False: "false"}
