"""Escapes in JSON that does not parse: what they stand for has to be as plain as if it did."""

import json
import re
from typing import Final

_SPELLED: Final = re.compile(
    r"\\(?:(/)|u([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?!00(?:[01]|7[fF])|[dD][89a-fA-F])[0-9a-fA-F]{4})|.)",
    re.DOTALL,
)
_CUT: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?\Z")
_CONTROL: Final = re.compile(
    r"\\(?:([bfnrt]|u00[01][0-9a-fA-F]|u007[fF])(?=[A-Za-z0-9])|.)", re.DOTALL
)


def plain_escapes(text: str, *, cut: bool) -> str:
    """Spell letters as themselves, which means the same in JSON: PHP, Go and .NET escape many.

    Args:
        text: JSON, or a piece of it.
        cut: its last escape may be incomplete.
    """
    if "\\" not in text:
        return text
    if cut:
        text = _CUT.sub(r"\1", text)
    return _SPELLED.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    if found[1]:
        return "/"
    if not found[2]:
        return found[0]
    letter = str(json.loads(f'"\\u{found[2]}"'))
    return f"\\{letter}" if letter in '"\\' else letter


def apart_from_escapes(text: str) -> tuple[str, str]:
    """Part words from the escape of a line break before them: it ends in a letter, as words do.

    Returns:
        The text, and the character that parts them, which is none of its own; "" where no escape
        is before a word.
    """
    if "\\" not in text:
        return text, ""
    border = next(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    apart = _CONTROL.sub(lambda found: found[0] + (border if found[1] else ""), text)
    return (text, "") if apart == text else (apart, border)
