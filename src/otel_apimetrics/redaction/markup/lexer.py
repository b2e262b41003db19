"""XML (1.0, fifth edition) and HTML (WHATWG) in pieces: what is a tag, and what is text.

Nothing here parses or resolves an entity. Whatever the text is, cut or malformed, the pieces
cover it from its begin to its end, each letter is looked at a fixed number of times, and a
piece without an end goes to the end of the text.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

TEXT: Final = 0
OPEN: Final = 1
CLOSE: Final = 2
COMMENT: Final = 3
CDATA: Final = 4
INSTRUCTION: Final = 5
DECLARATION: Final = 6
"""`<!DOCTYPE` with its internal subset, and each other `<!` that is no comment or CDATA."""
SCRIPT: Final = 7
"""The content of HTML's `script` or `style`."""

MARKUP: Final = re.compile(r"<(?=[^\W\d]|[:/!?])")
"""Where a piece that is no text begins."""

_BARE_TAG: Final = re.compile(r"<(/?)([\w:.-]+)>")
"""Most tags are like this."""
_TAG_NAME: Final = re.compile(r"[^\s/><]+")
_BETWEEN: Final = re.compile(r"[\s/]*")
# A name, then an equals sign, then a value: in double quotes, in single quotes, in none. XML
# has no "<" in a value, so there a quote that is not closed does not swallow elements.
_XML_ATTRIBUTE: Final = re.compile(
    r"""(=?[^\s/><=]*)\s*(?:(=)\s*(?:"([^"<]*)"|'([^'<]*)'|([^\s"'><][^\s><]*))?)?"""
)
_HTML_ATTRIBUTE: Final = re.compile(
    r"""(=?[^\s/><=]*)\s*(?:(=)\s*(?:"([^"]*)"|'([^']*)'|([^\s"'><][^\s><]*))?)?"""
)
_EQUALS: Final = 2
_CLOSING: Final = re.compile(r"</([^\s/><]*)[^<>]*(>?)")
_SUBSET: Final = re.compile(r"""<!--|<\?|["'\[\]>]""")
_SUBSET_ENDS: Final = {"<!--": "-->", "<?": "?>", '"': '"', "'": "'"}
_SCRIPT_ENDS: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style")
}


class Attribute(NamedTuple):
    """An attribute of a tag; the indices are those of the text."""

    name: str
    start: int
    """Of the name."""
    value: int
    """Of the value, behind a quote; -1 where there is no equals sign."""
    end: int
    """Of the value, before a quote."""
    behind: int
    """Of all of it."""


class Piece(NamedTuple):
    """A piece of markup; the indices are those of the text."""

    kind: int
    start: int
    end: int
    name: str = ""
    """Of a tag, as it is written."""
    attributes: tuple[Attribute, ...] = ()
    whole: bool = True
    """It has an end."""
    empty: bool = False
    """`<a/>`: in XML there is no content."""


def pieces(text: str, *, html: bool) -> Iterator[Piece]:
    """Cut markup into pieces, in order and without gaps.

    Args:
        text: the markup, or what claims to be.
        html: HTML's rules for comments, declarations, values and scripts, not XML's.
    """
    at = 0
    while at < len(text):
        found = MARKUP.search(text, at)
        start = found.start() if found else len(text)
        if start > at:
            yield Piece(TEXT, at, start)
        if found is None:
            return
        bare = _BARE_TAG.match(text, start)
        if bare is None:
            piece = _piece(text, start, html=html)
        else:
            piece = Piece(CLOSE if bare[1] else OPEN, start, bare.end(), bare[2])
        yield piece
        at = piece.end
        script = _SCRIPT_ENDS.get(piece.name.lower()) if html and piece.kind == OPEN else None
        if script is not None:
            end = script.search(text, at)
            stop = end.start() if end else len(text)
            if stop > at:
                yield Piece(SCRIPT, at, stop)
            at = stop


def _piece(text: str, start: int, *, html: bool) -> Piece:
    letter = text[start + 1]
    if letter == "/":
        closing = _CLOSING.match(text, start)
        name, end = (closing[1], closing.end()) if closing else ("", start + 2)
        return Piece(CLOSE, start, end, name, whole=text[end - 1] == ">")
    if letter == "?":
        return _until(INSTRUCTION, text, start, start + 2, ">" if html else "?>")
    if letter == "!":
        return _declaration(text, start, html=html)
    return _opening(text, start, html=html)


def _until(kind: int, text: str, start: int, inside: int, ending: str) -> Piece:
    end = text.find(ending, inside)
    if end < 0:
        return Piece(kind, start, len(text), whole=False)
    return Piece(kind, start, end + len(ending))


def _declaration(text: str, start: int, *, html: bool) -> Piece:
    if text.startswith("<!--", start):
        return _until(COMMENT, text, start, start + 4, "-->")
    if html:
        return _until(DECLARATION, text, start, start + 2, ">")
    if text.startswith("<![CDATA[", start):
        return _until(CDATA, text, start, start + 9, "]]>")
    return _document_type(text, start)


def _document_type(text: str, start: int) -> Piece:
    at, inside = start + 2, False
    while (found := _SUBSET.search(text, at)) is not None:
        sign, at = found[0], found.end()
        ending = _SUBSET_ENDS.get(sign)
        if ending is not None:
            end = text.find(ending, at)
            if end < 0:
                break
            at = end + len(ending)
        elif sign != ">":
            inside = sign == "["
        elif not inside:
            return Piece(DECLARATION, start, at)
    return Piece(DECLARATION, start, len(text), whole=False)


def _opening(text: str, start: int, *, html: bool) -> Piece:
    pattern = _HTML_ATTRIBUTE if html else _XML_ATTRIBUTE
    named = _TAG_NAME.match(text, start + 1)
    name, at = (named[0], named.end()) if named else ("", start + 1)
    attributes: list[Attribute] = []
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        letter = text[at : at + 1]
        if letter == ">":
            empty = text[at - 1] == "/"
            return Piece(OPEN, start, at + 1, name, tuple(attributes), empty=empty)
        found = pattern.match(text, at) if letter not in ("", "<") else None
        if found is None:
            return Piece(OPEN, start, at, name, tuple(attributes), whole=False)
        group = found.lastindex or 0
        unclosed = group == _EQUALS and text[found.end() : found.end() + 1] in ('"', "'")
        if unclosed:
            # HTML looks for the quote up to the end of the text, XML up to the next tag.
            end = -1 if html else text.find("<", at)
            end = len(text) if end < 0 else end
            return Piece(OPEN, start, end, name, tuple(attributes), whole=False)
        value = found.span(group) if group > _EQUALS else (found.end(), found.end())
        begin = value[0] if group >= _EQUALS else -1
        attributes.append(Attribute(found[1], at, begin, value[1], found.end()))
        at = found.end()
