"""The name that stands before a sign, in text that cannot be parsed."""

import re
from collections.abc import Mapping
from typing import Final

LONGEST_NAME: Final = 128
_WORD: Final = re.compile(r"[\w.$%\[\]-]{1,128}")
_ESCAPED_WORD: Final = re.compile(r"(?:[\w.$%\[\]-]|(?<=[0-9a-fA-F]{4}u)\\{1,15}){1,128}")
"""A name with escapes of letters in it; in reversed text."""
_BACKWARDS: Final = re.compile(r"[ \t]{0,64}([\"'`]?)(\\{0,15})")
_LETTERS: Final = frozenset("bfnrt")
"""Letters of the escapes of blanks."""
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
    word = _WORD.match(window, after)
    if word is not None and word[0][-1] == "u" and window.startswith("\\", word.end()):
        escaped = _ESCAPED_WORD.match(window, after)
        # What an escape stands for may end the name.
        word = _WORD.match(spelled_out(escaped[0][::-1])[::-1]) if escaped else word
    return (word[0][::-1] if word else ""), "", ""


def telling_before(
    text: str, end: int, names: Mapping[str, int], start: int = 0
) -> tuple[str, str, str]:
    r"""Give the same, but behind an escape (`\npin=`) the name that tells something.

    Args:
        text: any text, decoded or not: the letter of what looks like an escape may be the name's.
        end: the place of the sign.
        names: the verdicts on names; 0 is that of a harmless one.
        start: where to begin to read.
    """
    name, quote, escape = name_before(text, end, start)
    if not quote and name[:1] in _LETTERS and not names[name]:
        window = text[max(start, end - LONGEST_NAME) : end]
        at = window.rfind(name)
        if at > 0 and window[at - 1] == "\\":
            return name[1:], quote, escape
    return name, quote, escape


def spelled_out(name: str) -> str:
    """Read the escapes of JSON in a name, behind any number of backslashes."""
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), name) if "\\" in name else name
