"""Sentences in which a sensitive name is a word like any other.

`Session: Intro to Python` is a talk, `unexpected token: EndOfFile` a parser's. In doubt it is none.
"""

import re
from typing import Final

_TALK: Final = re.compile(r"[A-Z][a-z]{1,15}(?: [A-Z]?[a-z]{1,15}){2}(?![\w=:/+-])")
"""Three words at least, as no handle of a session has them."""
_PARSER: Final = re.compile(r"\b[Uu]nexpected token\Z")
_KIND: Final = re.compile(
    r"(?:(?:[A-Z][a-z]{1,15}){1,4}|(['`]?)[^\w\s\"'`\\\[]{1,3}\1)(?=[\s,.;)]|\Z)"
)
"""What a parser calls a token, or the signs that it met."""
_WINDOW: Final = len(" unexpected token")


def is_prose(name: str, text: str, sign: int, start: int) -> bool:
    """Tell whether what stands behind a name and its sign goes on with a sentence.

    Args:
        name: as it stands before the sign, without quotes.
        text: any text.
        sign: the place of the sign.
        start: where what follows begins, behind blanks.
    """
    if text[sign] != ":":
        return False
    if name.lower() == "session":
        return _TALK.match(text, start) is not None
    return (
        name == "token"
        and _PARSER.search(text[max(0, sign - _WINDOW) : sign]) is not None
        and _KIND.match(text, start) is not None
    )
