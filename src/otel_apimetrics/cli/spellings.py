"""Texts read through their escapes: percent-encoding, JSON, character references of XML.

Two texts are compared after both were read so. What is read is not what any one decoder gives,
because nobody knows which of them applies: a plus is always a blank, a backslash that escapes
nothing is dropped. So more may look equal than is, and nothing that is equal looks different.
"""

import re
from bisect import bisect_right
from html import unescape
from typing import Final

_ESCAPES: Final = re.compile(
    r"(?P<ascii>%(?:25)*[0-7][0-9A-Fa-f])"
    r"|(?P<octets>(?:%(?:25)*[89A-Fa-f][0-9A-Fa-f])+)"
    r"|(?P<pair>\\+u[Dd][89ABab][0-9A-Fa-f]{2}\\+u[Dd][C-Fc-f][0-9A-Fa-f]{2})"
    r"|\\+(?:u(?P<unit>[0-9A-Fa-f]{4})|x(?P<octet>[0-9A-Fa-f]{2})|(?P<short>[bfnrt]))"
    r"|(?P<reference>&(?:\#[0-9]{1,8}|\#[Xx][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);)"
    r"|(?P<plus>\+)"
    r"|(?P<backslash>\\+)"
)
"""An escape may itself be escaped: %2540 is %40 is @, and JSON in JSON doubles backslashes."""
_CODE: Final = re.compile(r"[0-9A-Fa-f]{4}")
_SHORT: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LAYERS: Final = 4
"""Different encodings one inside of the other: JSON in a form in a header."""


class Reading:
    """A text without its escapes.

    Args:
        text: as it was written.
    """

    def __init__(self, text: str) -> None:
        self._layers: Final[list[_Layer]] = []
        for _ in range(_LAYERS):
            layer = _Layer(text)
            if layer.text == text:
                break
            self._layers.append(layer)
            text = layer.text
        self.text: Final = text

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Tell where characters of the reading stand in the text, with the whole of their escapes.

        Args:
            start: of the first character.
            end: behind the last one.
        """
        for layer in reversed(self._layers):
            start, end = layer.source(start), layer.source(end - 1, after=True)
        return start, end


class _Layer:
    """One encoding taken off."""

    def __init__(self, text: str) -> None:
        parts: list[str] = []
        # Behind the first, entries come in twos: where an escape begins and where it ends.
        self._here: Final = [0]
        self._there: Final = [0]
        length = done = 0
        for escape in _ESCAPES.finditer(text):
            for part, end in (
                (text[done : escape.start()], escape.start()),
                (_decoded(escape), escape.end()),
            ):
                parts.append(part)
                length += len(part)
                self._here.append(length)
                self._there.append(end)
            done = escape.end()
        self.text: Final = "".join((*parts, text[done:]))

    def source(self, index: int, *, after: bool = False) -> int:
        """Give the place of a character in the text, or the place after it."""
        entry = bisect_right(self._here, index) - 1
        if entry % 2:
            return self._there[entry + after]
        return self._there[entry] + index - self._here[entry] + after


def _decoded(escape: re.Match[str]) -> str:
    kind, text = str(escape.lastgroup), escape[0]
    if kind in {"ascii", "octet"}:
        return chr(int(text[-2:], 16)).replace("+", " ")
    if kind == "octets":
        octets = bytes(int(octet, 16) for octet in text.replace("%25", "%").split("%") if octet)
        return octets.decode("utf-8", "replace")
    if kind in {"pair", "unit"}:
        units = "".join(_CODE.findall(text)) if kind == "pair" else text[-4:]
        letters = bytes.fromhex(units).decode("utf-16-be", "surrogatepass")
        return letters.replace("+", " ")
    if kind == "reference":
        return unescape(text).replace("+", " ")
    return {"short": _SHORT.get(text[-1], ""), "plus": " ", "backslash": ""}[kind]
