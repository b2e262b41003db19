"""The name that stands before a sign, in text that cannot be parsed."""

import re
from typing import Final

LONGEST_NAME: Final = 128
WORD: Final = re.compile(r"[\w.$%\[\]-]{1,128}")
_BACKWARDS: Final = re.compile(r"[ \t]{0,64}([\"'`]?)(\\{0,15})")
_ESCAPED: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")


def name_before(text: str, end: int, start: int = 0) -> tuple[str, str, str]:
    """Give the name that ends at a sign, the quote around it and the backslashes before that."""
    first = max(start, end - LONGEST_NAME)
    if text.endswith('"', start, end):
        # By far the most frequent: a JSON name without a backslash.
        opening = text.rfind('"', first, end - 1)
        name = text[opening + 1 : end - 1]
        if opening >= 0 and "\\" not in name and not text.endswith("\\", first, opening):
            return name, '"', ""
    window = text[first:end][::-1]
    found = _BACKWARDS.match(window)
    quote, escape, after = (found[1], found[2], found.end()) if found else ("", "", 0)
    if quote:
        rest = window[after:]
        closing = rest.find(quote)
        name = rest if closing < 0 else rest[:closing]
        return spelled_out(name[::-1]), quote, escape
    word = WORD.match(window, after)
    return (word[0][::-1] if word else ""), "", ""


def spelled_out(name: str) -> str:
    """Read the escapes of JSON in a name, behind any number of backslashes."""
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), name) if "\\" in name else name
