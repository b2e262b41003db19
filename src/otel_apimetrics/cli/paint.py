"""Colours of a terminal, and what of a text it must not see."""

import re
from collections.abc import Mapping
from typing import Final, TextIO

_STYLES: Final = {
    "heading": "1",
    "place": "36",
    "removed": "31",
    "secret": "1;31",
    "added": "32",
    "mark": "1;7;32",
    "rule": "90",
    "good": "1;32",
    "bad": "1;31",
}
"""Select Graphic Rendition (ECMA-48, 8.3.117)."""
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What moves the cursor, hides or turns text around, or cannot be encoded."""


class Paint:
    """Writes a text in the style of its part.

    Args:
        on: False leaves out the colours.
    """

    def __init__(self, *, on: bool) -> None:
        self._on: Final = on

    def __call__(self, style: str, text: str) -> str:
        """Give the text in a style; unseen characters are spelled as escapes."""
        text = _UNSEEN.sub(_spelled, text)
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._on and text else text


def plain(text: str) -> str:
    """Give a text without a style; unseen characters are spelled as escapes."""
    return _UNSEEN.sub(_spelled, text)


def wants_colour(choice: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether to colour: `auto` does on a terminal, unless `NO_COLOR` is set.

    See https://no-color.org. A flag that says so goes before the variable.

    Args:
        choice: auto, always or never.
        stream: where the text goes.
        environ: the process environment.
    """
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def _spelled(letter: re.Match[str]) -> str:
    return letter[0].encode("unicode_escape").decode("ascii")
