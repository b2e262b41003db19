"""GraphQL requests (specification of October 2021; GraphQL over HTTP).

A query keeps its shape and loses its literals, lexically: strings become `"…"`, numbers `0`.
Variables, the name of the operation and extensions are members of JSON like any other.
"""

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Final

from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.marks import MARKED
from otel_apimetrics.redaction.text import FreeText

TOO_MANY: Final = "[TRUNCATED:operations]"
"""Stands for each query behind the twentieth of a batch."""

_MOST_OPERATIONS: Final = 20
_STRING: Final = '"…"'

# A mark, a comment, the begin of a string, or a number: no digit of a name.
_TOKEN: Final = re.compile(
    rf"{MARKED.pattern}"
    r'|#[^\r\n]*|"""|"|(?:(?<!-)-+|(?<![\w-]))[0-9][\w.+-]*'
)
_STRING_END: Final = re.compile(r'(?:[^"\\\r\n]|\\[^\r\n])*"')
_IGNORED: Final = re.compile(r"[\s,\ufeff]*")
_LINE: Final = re.compile(r"[^\r\n]*")
# A value rule may have found something in a name.
_MARKED_NAME: Final = rf"(?![0-9])(?:\w|{MARKED.pattern})+"
_KEYWORD: Final = re.compile(
    rf"(query|mutation|subscription)\b|fragment\s+{_MARKED_NAME}\s+on\b|\{{"
)
_NAME: Final = re.compile(_MARKED_NAME)
_SELECTION: Final = re.compile(rf"{_MARKED_NAME}|\.\.\.|\Z")
_PART: Final = re.compile(
    r"[({\[]|[)}\]]|\b(query|mutation|subscription|fragment)\b[\s,]*([A-Za-z_]\w*)?|[$@]?\w+"
)

_LAST_WORD: Final = re.compile(r"(?<!\w)\w+\Z")

_MEMBER: Final = re.compile(r'(?<!\\)"query"\s*:\s*(?=")')
_JSON_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*("|)', re.DOTALL)
_WHOLE_ESCAPES: Final = re.compile(r'"[^"\\]*(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*)*', re.DOTALL)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PLACE: Final = "\ue000"
"""A private-use character around the number of a query that waits outside of its document."""
_PLACE_ESCAPED: Final = "\\ue000"
_PLACEHOLDER: Final = re.compile(f"{_PLACE}([0-9]{{1,2}}){_PLACE}")


def is_graphql(query: str) -> bool:
    """Tell whether a text is a GraphQL document; judged by its first words alone.

    A search for the words "query", "mutation" or "{" is none.

    Args:
        query: the text, whole or cut.
    """
    start = _skip(query, 0)
    keyword = _KEYWORD.match(query, start)
    if keyword is None:
        return False
    after = _skip(query, keyword.end())
    if keyword[0] == "{":
        return _SELECTION.match(query, after) is not None
    if keyword[1] is None:
        return True
    name = _NAME.match(query, after)
    after = _skip(query, name.end()) if name else after
    return query[after : after + 1] in ("", "(", "{", "@")


def operation(query: str, name: str = "") -> tuple[str, str] | None:
    """Give the type and the name of an operation of a document.

    Args:
        query: a GraphQL document.
        name: of the operation to give; "" gives the first.

    Returns:
        "query", "mutation" or "subscription", and the name, "" for an anonymous operation;
        `None` where there is no such operation.
    """
    return next((found for found in _operations(query) if name in ("", found[1])), None)


def _operations(query: str) -> Iterator[tuple[str, str]]:
    depth = 0
    inside = False
    for part in _PART.finditer(scrub_query(query)):
        if part[0] in "({[":
            if part[0] == "{" and depth == 0 and not inside:
                inside = True
                yield "query", ""
            depth += 1
        elif part[0] in ")}]":
            depth = max(depth - 1, 0)
            # Not behind the variables or a directive's arguments: the selection is to come.
            inside = inside and (depth > 0 or part[0] != "}")
        elif depth == 0 and part[1] and not inside:
            inside = True
            if part[1] != "fragment":
                yield part[1], part[2] or ""


def documents(text: str) -> Iterator[str]:
    """Give the values of the members called `query` in JSON that may be cut, at any depth.

    One that was cut loses the word at its end, which may go on.
    """
    for member in _MEMBER.finditer(text):
        value = _JSON_STRING.match(text, member.end())
        query = _decoded(value) if value else None
        if value is not None and query is not None:
            yield query if value[1] else _LAST_WORD.sub("", query)


def scrub_query(query: str) -> str:
    """Replace the literals of a GraphQL document, and take its comments out.

    Names, aliases, variables, enum values, booleans and `null` stay. A string without an end
    hides what follows.

    Args:
        query: a GraphQL document, whole or cut.
    """
    parts: list[str] = []
    done = at = 0
    # Not `finditer`: a comment sign inside of a string opens no comment.
    while (token := _TOKEN.search(query, at)) is not None:
        at, sign = token.end(), token[0][0]
        if sign == "[":
            continue
        shown = "" if sign == "#" else "0"
        if sign == '"':
            at, shown = _string_end(query, at, block=token[0] != '"'), _STRING
        parts += (query[done : token.start()], shown)
        done = at
    masked = "".join((*parts, query[done:]))
    return query if masked == query else masked


class GraphQL:
    """GraphQL requests in, GraphQL requests out.

    Args:
        documents: the rules for all of a request but its query.
        text: the value rules for what is left of a query.
    """

    def __init__(self, documents: Documents, text: FreeText) -> None:
        self._documents: Final = documents
        self._text: Final = text

    def scrub(self, text: str, *, cut: bool) -> str | None:
        """Mask a JSON body that holds GraphQL requests, one or a batch.

        The value of each member called `query` that is GraphQL loses its literals; behind the
        twentieth, such a value is not shown. The rest is masked as any JSON.

        Args:
            text: JSON, or what claims to be.
            cut: it goes on where it was not captured.

        Returns:
            The masked text; `None` where no query is in it: it is JSON, and nothing else.
        """
        if '"query"' not in text:
            return None
        hides = _PLACE not in text and _PLACE_ESCAPED not in text.lower()
        queries: list[str] = []
        parts: list[str] = []
        done = 0
        for member in _MEMBER.finditer(text):
            value = _JSON_STRING.match(text, member.end())
            query = _decoded(value) if value else None
            if value is None or query is None or not is_graphql(query):
                continue
            number = min(len(queries), _MOST_OPERATIONS)
            queries[number:] = [self._encoded(query, number=number, whole=bool(value[1]))]
            # Outside of the document no rule takes a variable for what is assigned to its name.
            shown = f"{_PLACE}{number}{_PLACE}" if hides else queries[number]
            parts += (text[done : value.start() + 1], shown)
            done = value.end() - len(value[1])
        if not queries:
            return None
        masked = self._documents.scrub("".join((*parts, text[done:])), cut=cut)
        if hides:
            masked = _PLACEHOLDER.sub(lambda place: queries[int(place[1])], masked)
        return text if masked == text else masked

    def query(self, text: str, *, cut: bool) -> str:
        """Mask a body of the media type `application/graphql`.

        Args:
            text: a GraphQL document; JSON or other text is masked as what it is.
            cut: it goes on where it was not captured.
        """
        if is_graphql(text):
            return self._values_of(text, cut=cut)
        if text.lstrip()[:1] in ("{", "["):
            masked = self._documents.scrub(text, cut=cut)
            # A mark in the place of a number can be a name.
            return self._values_of(masked, cut=cut) if is_graphql(masked) else masked
        masked = self._text.scrub(text)
        # Behind a mark, as behind any border, a rule may find what it did not before.
        return self._text.scrub(self._text.end(masked)) if cut else masked

    def _values_of(self, query: str, *, cut: bool) -> str:
        masked = self._text.scrub_values(scrub_query(query))
        return self._text.scrub_values(self._text.end(masked)) if cut else masked

    def _encoded(self, query: str, *, number: int, whole: bool) -> str:
        if number >= _MOST_OPERATIONS:
            return TOO_MANY
        masked = self._values_of(query, cut=not whole)
        return encode_basestring(_SURROGATE.sub("\ufffd", masked))[1:-1]


def _decoded(value: re.Match[str]) -> str | None:
    whole = _WHOLE_ESCAPES.match(value[0])
    end = whole.end() if whole else len(value[0])
    if value[1] and end + 1 < len(value[0]):
        return None
    try:
        # A string that was cut may end in an escape that was cut.
        return str(json.loads(f'{value[0][:end]}"', strict=False))
    except ValueError:
        return None


def _skip(query: str, at: int) -> int:
    """Give the index behind blanks, commas and comments."""
    while True:
        blank = _IGNORED.match(query, at)
        at = blank.end() if blank else at
        if not query.startswith("#", at):
            return at
        line = _LINE.match(query, at)
        at = line.end() if line else at


def _string_end(query: str, at: int, *, block: bool) -> int:
    if not block:
        end = _STRING_END.match(query, at)
        return end.end() if end else len(query)
    while (at := query.find('"""', at)) >= 0:
        at += len('"""')
        if query[at - 4] != "\\":
            return at
    return len(query)
