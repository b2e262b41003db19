"""Statements of SQL and what databases say of them: values by their place, not by a sign.

`INSERT INTO users (name, password) VALUES ('ada', 'x')`, SQLAlchemy's `[parameters: (...)]`,
PostgreSQL's `Key (token)=(x) already exists.`, MySQL's `Duplicate entry 'x' for key 'token'`.
"""

import re
from collections.abc import Iterator
from typing import Final

from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.phrases.place import Place
from otel_apimetrics.redaction.spans import line_end, value_end

_DETAIL: Final = re.compile(r"\)=\(")
_ROW: Final = re.compile(r"Failing row contains \(")
_DETAIL_END: Final = re.compile(
    r"\)(?= (?:already exists|is not present|is still referenced|conflicts with)"
    r"|\.?(?:[\"'\\\r\n]|\Z))"
)
_ENTRY: Final = re.compile(
    r"Duplicate entry '(?!\[REDACTED)([^\n]{0,1024}?)' for key '([^'\n]{1,256})"
)
_CLAUSE: Final = re.compile(
    r"\b(?i:(password)|identified(?:\s{1,4}with\s{1,4}[\w'\"`]{1,64})?\s{1,4}(?:by|as))"
    r"(?:\s|\\[nrt]){1,8}(?=')"
)
"""`ALTER USER a WITH PASSWORD 'x'`, `IDENTIFIED BY 'x'`."""
# Begin with letters, so that `re` looks for these alone: some ten times as fast.
_GATES: Final = (
    re.compile(r"password(?:\s|\\[nrt]){1,8}'"),
    re.compile(
        r"identified(?:\s{1,4}with\s{1,4}[\w'\"`]{1,64})?\s{1,4}(?:by|as)(?:\s|\\[nrt]){1,8}'"
    ),
)
"""Whatever `_CLAUSE` finds, in small letters."""
_OPENING: Final = re.compile(r"'(?<=[\snrt]')")
"""A quote behind a blank, or behind what may be the escape of one; not that of `James's`."""
_GRANTEE: Final = re.compile(r"\b(?i:user|role|login|group|with|encrypted)\b")
_LONGEST_CLAUSE: Final = 256
_VALUES: Final = re.compile(r"\)(?:\s|\\[nrt]){0,16}(?i:values?)(?:\s|\\[nrt]){0,16}(?=\()")
_TOKEN: Final = re.compile(
    r"'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\\?\Z)|\\?\"[^\"\\]*(?:\\[^\"][^\"\\]*)*(?:\\?\"|\\?\Z)"
    r"|[(),\[\]{}]",
    re.DOTALL,
)
_NEXT_ROW: Final = re.compile(r"(?:\s|\\[nrt]){0,64},(?:\s|\\[nrt]){0,64}(?=\()")
_OPEN_ITEM: Final = re.compile(
    r"\?|%s|:\w+|\$\d+|@\w+|%\(\w+\)s|(?i:null|default|true|false|now\(\))"
)
"""A place for a parameter, or what is no secret."""
_PARAMETERS: Final = re.compile(
    r"\b(?i:param(?:eter)?s|args|arguments|bind(?:ing)?s?)\b[\"'\\]{0,8}"
    r"(?:\s|\\[nrt]|[:=]){1,8}(?=[\[(]|\$\d)"
)
_STATEMENT: Final = re.compile(
    r"\b(?i:insert|replace|merge)\b.{1,4096}\b(?i:values|select)\b"
    r"|\b(?i:select|update|delete|call|exec)\b.{1,4096}(?:\?|%s|\$\d|:\d|@p\d)",
    re.DOTALL,
)
_WORD: Final = re.compile(r"[\w$]{2,64}")
_LONGEST_NAMES: Final = 256
_LONGEST_COLUMNS: Final = 4_096
_LONGEST_STATEMENT: Final = 8_192

LISTS: Final = frozenset(
    ["args", "arguments", "bind", "binding", "bindings", "binds", "parameters", "params", "values"]
)
"""Members that hold the parameters of a statement beside them."""


def suspects(text: str, names: Names) -> bool:
    """Tell whether a database may speak here, in JSON text too; too often rather than not."""
    if _opens_quote(text) and ("Duplicate entry '" in text or _has_clause(text)):
        return True
    if "(" in text and (")=(" in text or "Failing row contains (" in text):
        return True
    if "(" not in text and "[" not in text and "$" not in text:
        return False
    lower = text.lower()
    values = "value" in lower
    if values and ")" in text and _VALUES.search(text):
        return True
    return (
        (values or "param" in lower or "arg" in lower or "bind" in lower)
        and any(word in lower for word in _VERBS)
        and _names_one(text, names) != ""
    )


_VERBS: Final = ("insert", "update", "select", "replace", "merge", "delete", "call", "exec")


def find(text: str, names: Names) -> Iterator[Place]:
    """Find the values that a database or a statement tells."""
    if ")=(" in text or "Failing row" in text or "Duplicate entry" in text:
        yield from _details(text, names)
    if _opens_quote(text) and _has_clause(text):
        yield from _clauses(text)
    if "(" in text or "$" in text or "[" in text:
        yield from _rows(text, names)
        yield from _parameters(text, names)


def takes_a_secret(statement: str, names: Names) -> bool:
    """Tell whether a statement has a parameter, and a sensitive name that may be its column's."""
    return (
        len(statement) <= _LONGEST_STATEMENT
        and _STATEMENT.search(statement) is not None
        and _names_one(statement, names) != ""
    )


def _names_one(text: str, names: Names) -> str:
    words: list[str] = _WORD.findall(text)
    for word in dict.fromkeys(words):
        # A word of two senses is one of SQL too: `PRIMARY KEY`.
        if names.is_sensitive(word) and not names.homonyms[word]:
            return word
    return ""


def _details(text: str, names: Names) -> Iterator[Place]:
    done = 0
    for sign in _DETAIL.finditer(text):
        if sign.start() < done:
            continue
        window = text[max(done, sign.start() - _LONGEST_NAMES) : sign.start()]
        opening = max(window.rfind("Key ("), 0) or window.rfind("(")
        name = next((w for w in _WORD.findall(window[opening + 1 :]) if names.is_sensitive(w)), "")
        if name:
            done = _detail_end(text, sign.end())
            yield Place(sign.end(), done, name)
    for row in _ROW.finditer(text):
        # Which of its values are secret it does not say.
        if row.start() >= done:
            done = _detail_end(text, row.end())
            yield Place(row.end(), done, "row")
    for entry in _ENTRY.finditer(text):
        if names.is_sensitive(entry[2]) or names.is_sensitive(entry[2].rpartition(".")[2]):
            yield Place(*entry.span(1), entry[2])


def _detail_end(text: str, start: int) -> int:
    end = _DETAIL_END.search(text, start)
    return end.start() if end else line_end(text, start)


def _opens_quote(text: str) -> bool:
    return "'" in text and _OPENING.search(text) is not None


def _has_clause(text: str) -> bool:
    lower = text.lower()
    return any(gate.search(lower) for gate in _GATES)


def _clauses(text: str) -> Iterator[Place]:
    for found in _CLAUSE.finditer(text):
        before = text[max(0, found.start() - _LONGEST_CLAUSE) : found.start()]
        if not found[1] or _GRANTEE.search(before):
            yield Place(found.end(), value_end(text, found.end()), "password")


def _rows(text: str, names: Names) -> Iterator[Place]:
    done = 0
    for found in _VALUES.finditer(text):
        opening = text.rfind("(", max(done, found.start() - _LONGEST_COLUMNS), found.start())
        if found.start() < done or opening < 0:
            continue
        columns = [
            column.strip(' \t\r\n"`[]\\') for column in text[opening + 1 : found.start()].split(",")
        ]
        secret = [place for place, column in enumerate(columns) if names.is_sensitive(column)]
        if not secret:
            continue
        at: int | None = found.end()
        while at is not None:
            items, done = _items(text, at)
            whole = len(items) == len(columns)
            for place, (start, end) in enumerate(items):
                name = columns[place] if whole else columns[secret[0]]
                if (place in secret or not whole) and _is_filled(text, start, end):
                    yield Place(start, end, name)
            row = _NEXT_ROW.match(text, done)
            at = row.end() if row else None


def _is_filled(text: str, start: int, end: int) -> bool:
    return end > start and _OPEN_ITEM.fullmatch(text, start, end) is None


def _items(text: str, start: int) -> tuple[list[tuple[int, int]], int]:
    """Give the items of the list that opens at `start`, without blanks, and its end."""
    items: list[tuple[int, int]] = []
    depth, begin = 0, start + 1
    for token in _TOKEN.finditer(text, start):
        if token[0] in ("(", "[", "{"):
            depth += 1
        elif token[0] in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                items.append(_stripped(text, begin, token.start()))
                return items, token.end()
        elif token[0] == "," and depth == 1:
            items.append(_stripped(text, begin, token.start()))
            begin = token.end()
    items.append(_stripped(text, begin, len(text)))
    return items, len(text)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    item = text[start:end]
    start += len(item) - len(item.lstrip())
    return start, start + len(item.strip())


def _parameters(text: str, names: Names) -> Iterator[Place]:
    done = 0
    for found in _PARAMETERS.finditer(text):
        if found.start() < done:
            continue
        begin = max(done, found.start() - _LONGEST_STATEMENT)
        statement, start = text[begin : found.start()], found.end()
        done = found.end()
        if not _STATEMENT.search(statement) or not (name := _names_one(statement, names)):
            continue
        if text[start] == "$":
            done = line_end(text, start)
            yield Place(start, done, name)
        elif text[start + 1 : start + 2] != "{" and text[start : start + 9] != "[REDACTED":
            done = _items(text, start)[1]
            yield Place(start, done, name)
