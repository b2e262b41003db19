"""GraphQL documents in a text: in a query, a form, a line, a message, a string of JSON.

Nothing but the document itself tells where it is, so it is read by the tokens that its grammar
has. Its literals stand in arguments: strings become `"…"`, numbers `0`. A document begins with the
head of an operation or a fragment, or with a brace. Behind a head all that was read loses its
literals, even if it breaks off; behind a bare brace only what is GraphQL up to its end.
"""

import re
from typing import Final

from otel_apimetrics.redaction.marks import MARKED

_GAP: Final = r"(?:[ \t\r\n,\ufeff]|\\{1,15}[nrt])"
"""What GraphQL ignores; a line break may be escaped, as in JSON that does not parse."""
_NAMED: Final = rf"\({_GAP}*\$?[A-Za-z_]\w*{_GAP}*:"
_ARGUMENTS: Final = re.compile(_NAMED, re.ASCII)
_HEAD: Final = (
    rf"\b(?:(?:query|mutation|subscription)(?:{_GAP}+[A-Za-z_]\w*)?{_GAP}*(?=\({_GAP}*\$|[{{@])"
    rf"|fragment{_GAP}+[A-Za-z_]\w*{_GAP}+on{_GAP}+[A-Za-z_]\w*{_GAP}*(?=[{{@]))"
)
_START: Final = re.compile(rf"{_HEAD}|\{{(?={_GAP}*(?:[A-Za-z_#]|\.\.\.))", re.ASCII)
_TOKEN: Final = re.compile(
    rf"(?P<plain>(?:{MARKED.pattern}|{_GAP}|[A-Za-z_]\w*|\.{{1,3}}|[:@$]|\\{{1,15}}\Z)+)"
    r"|(?P<bracket>[{}()])"
    r'|(?P<escape>\\{0,15})"(?P<block>(?P=escape)"(?P=escape)")?'
    r"|(?P<number>-*[0-9][\w.+-]*)"
    r"|(?P<sign>[!=\[\]|&])"
    r"|(?P<comment>#(?:[^\r\n\\]|\\(?!\\{0,14}[nr]))*)",
    re.ASCII,
)
_QUOTE: Final = re.compile(r'(\\*)"')
_STRING: Final = '"…"'

SIGN: Final = (
    r"(?:\{|query|mutation|subscription|fragment)[^\"()#]*(?:[(#](?s:.)*)?"
    + _NAMED.replace(r"\ufeff", r"\x{FEFF}").replace("{1,15}", "+")
)
"""For the first look, with re2: points at whatever is masked here."""


def suspects(text: str) -> bool:
    """Tell whether a text may hold a document with arguments, in JSON text too; cheap."""
    return "(" in text and _ARGUMENTS.search(text) is not None


def scrub(text: str) -> str:
    """Take the literals and comments out of the documents in a text.

    Args:
        text: any text, cut anywhere: a string without an end hides what follows.

    Returns:
        The text without them; the identical one where there are none.
    """
    if not suspects(text):
        return text
    *_, last = (arguments.start() for arguments in _ARGUMENTS.finditer(text))
    parts: list[str] = []
    done = at = read = 0
    while (start := _START.search(text, at)) is not None:
        at = start.end()
        if at > last:
            break  # nothing but comments can be left to take out
        if start[0] == "{" and at <= read:
            continue  # in what another brace has opened that is no GraphQL
        document = _Document(text, start)
        if document.breaks_off:
            read = document.end  # but there may be a head in it
            continue
        at = document.end
        for begin, end, shown in document.literals:
            parts += (text[done:begin], shown)
            done = end
    masked = "".join((*parts, text[done:]))
    return text if masked == text else masked


class _Document:
    """One document: `literals` to replace, `end` where it ends or where it is GraphQL no more.

    Where `breaks_off`, that is too soon to be one.
    """

    def __init__(self, text: str, start: re.Match[str]) -> None:
        self.literals: Final[list[tuple[int, int, str]]] = []
        self._text: Final = text
        self._depth = 0
        """Of selection sets."""
        self._inside = 0
        """Of parentheses, and of the braces of objects in them."""
        self.end = start.end() if start[0] != "{" else start.start()
        self.breaks_off = False
        while (token := _TOKEN.match(text, self.end)) is not None and self._takes(token):
            if self._depth == 0 and token[0] == "}":
                return
        self.breaks_off = self.end < len(text) and start[0] == "{"

    def _takes(self, token: re.Match[str]) -> bool:
        """Read one token; tell whether the grammar has it here."""
        kind = token.lastgroup
        end = token.end()
        if kind == "bracket" and not self._brackets(token[0]):
            return False
        if kind in ("escape", "block", "number", "sign") and not self._inside:
            return False
        if kind in ("escape", "block"):
            end = self._string(token)
        elif kind == "number" and token[0] != "0":
            self.literals.append((token.start(), end, "0"))
        elif kind == "comment":
            self.literals.append((token.start(), end, ""))
        elif token[0] == "=" and self._depth:
            return False  # only variables have defaults, in the head
        self.end = end
        return True

    def _brackets(self, bracket: str) -> bool:
        if self._inside or bracket == "(":
            self._inside += 1 if bracket in "({" else -1
            return True
        self._depth += 1 if bracket == "{" else -1
        return bracket != ")" and self._depth >= 0

    def _string(self, opening: re.Match[str]) -> int:
        """Give the index behind a string; its quotes are escaped as often as the first."""
        escape = opening["escape"]
        quote = rf'{escape}"'
        closing = quote * 3 if opening["block"] else quote
        start = end = opening.end()
        for found in _QUOTE.finditer(self._text, start):
            end = found.end()
            # Each level of escaping doubles a backslash; an odd number of them escapes the quote.
            backslashes = (len(found[1]) - len(escape)) // (len(escape) + 1)
            if backslashes % 2 == 0 and self._text.startswith(closing, end - len(quote)):
                end += len(closing) - len(quote)
                inside = self._text[start : end - len(closing)]
                break
        else:
            inside, end, closing = self._text[start:], len(self._text), ""
        shown = f"{escape}{_STRING[:2]}{escape}{_STRING[2:]}"
        if self._text[opening.start() : end] != shown and not MARKED.fullmatch(inside):
            self.literals.append((opening.start(), end, shown))
        return end
