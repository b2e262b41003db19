"""Arguments: `--password x`, `['--password', 'x']`, `("password", "x")`, `sshpass -p x`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from otel_apimetrics.redaction.names import Names, tokens
from otel_apimetrics.redaction.phrases.place import Place
from otel_apimetrics.redaction.spans import value_end

_FLAG: Final = re.compile(r"--(?<![\w-]--)([A-Za-z][\w.-]{0,63})(?:[ \t]|\\[nrt]|\n[ \t]*- ){1,8}")
_BARE: Final = re.compile(r"(?:\[REDACTED[^\]\n]{0,40}\]|[^\s\"'`\\]|\\(?![nrt\"'\\]))+")
_LISTED: Final = re.compile(
    r"([\"'])(--?[A-Za-z][\w.-]{0,63})(\\{0,7})\1(?:\s|\\[nrt]){0,32},?(?:\s|\\[nrt]){0,32}"
    r"(?=\\{0,7}[\"'\d])"
)
_PAIR: Final = re.compile(
    r"[\[(](?:\s|\\[nrt]){0,64}b?(\\{0,7}[\"'])([^\"'\\\n]{1,128})\1(?:\s|\\[nrt]){0,32},"
    r"(?:\s|\\[nrt]){0,64}b?(?=\\{0,7}[\"'\d-])"
)
_PAIR_END: Final = re.compile(r"(?:\s|\\[nrt]){0,64},?(?:\s|\\[nrt]){0,64}[\])]")
_BESIDE: Final = re.compile(r"(?:\s|\\[nrt]){0,64}[,\])]")
_BEFORE: Final = re.compile(r"[nrt\s\\]{0,64}[\[(,]")
"""What opens a list of lists before a pair, or parts it from the last; in reversed text."""
_NUMBER: Final = re.compile(r"-?[\d.]+")

_NEXT: Final = r"[ \t\"',\\]{1,12}"
_COMMAND: Final = re.compile(
    rf"sshpass{_NEXT}-p{_NEXT}"
    rf"|redis-cli\b[^\n;|]{{0,200}}?{_NEXT}(?:-a|--pass){_NEXT}"
    rf"|(?:docker|podman|helm){_NEXT}(?:registry{_NEXT})?login\b[^\n;|]{{0,200}}?{_NEXT}-p{_NEXT}"
    rf"|(?:mysql(?:dump|admin)?|mariadb)\b[^\n;|]{{0,200}}?{_NEXT}-p(?=[^\s\"',\\])"
    rf"|curl\b[^\n;|]{{0,200}}?{_NEXT}(?:-u|--user){_NEXT}[^\s:\"'\\]{{1,64}}:"
)
"""Commands of which a flag of one letter is known to take a password."""
_FLAGS: Final = {
    "sshpass": "-p",
    "redis-cli": "-a",
    "docker": "-p",
    "podman": "-p",
    "helm": "-p",
    "curl": "-u",
}
_COMMANDS: Final = ("sshpass", "redis-cli", "login", "mysql", "mariadb", "curl")
_SHORT_FLAG: Final = re.compile(r"-(?:(?<=[\s\"',\\]-)|(?<=\\[nrt]-))(?:[pau]|-pass|-user)")
_JOINED: Final = frozenset(["mysql", "mysqldump", "mysqladmin", "mariadb"])
"""Commands that take a password joined to `-p`."""

_PROSE_WORDS: Final = (
    "a an and are argument as at be been but by can cannot does flag for from has have if in is it"
    " may must needs not of on option options or parameter requires should so switch that the"
    " then this to was when which will with without"
)
_PROSE: Final = frozenset(_PROSE_WORDS.split())
"""What follows a flag that a sentence speaks of."""
_PLACEHOLDER: Final = re.compile(r"<[^<>]*>?|\$\{?\w+\}?|\{\w+\}|\Z")
_NAME: Final = re.compile(r"[\w.$%\[\]-]{1,128}")
_SPACED: Final = re.compile(r"[\w.$%\[\] -]{1,128}")
_A_NAME: Final = re.compile(r"[a-z]+(?:_[a-z]+)*|[A-Z]+(?:_[A-Z]+)*")
"""A word that is rather the next name in a list of names than a secret."""

_BEGIN: Final = re.compile(r"-(?:(?<=[\s\"',\\-]-)|(?<=\\[nrt]-))[A-Za-z-]")
"""The begin of any flag, long or short. Most hyphens are in words, dates and identifiers."""
_ANY_FLAG: Final = re.compile(r"-(?<=[-\"']-)([A-Za-z][\w.-]{0,63})")
_ANY_PAIR: Final = tuple(
    (
        bracket,
        re.compile(
            rf"\{bracket}(?:\s|\\[nrt]){{0,64}}b?\\{{0,7}}[\"']([^\"'\n]{{1,136}})[\"']"
            r"(?:\s|\\[nrt]){0,32},"
        ),
    )
    # Apart, so that each begins with the one letter that the engine searches for.
    for bracket in "[("
)


def suspects(text: str, names: Names) -> bool:
    """Tell whether an argument may be secret, in JSON text too; too often rather than not."""
    if "-" in text and _BEGIN.search(text) and _suspects_flags(text, names):
        return True
    for bracket, pattern in _ANY_PAIR:
        pairs = pattern.findall(text) if bracket in text else ()
        if any(names.is_sensitive(name.rstrip("\\")) for name in pairs):
            return True
    return names.ends_open


def _suspects_flags(text: str, names: Names) -> bool:
    if any(map(names.is_sensitive, set(_ANY_FLAG.findall(text)))):
        return True
    return _SHORT_FLAG.search(text) is not None and any(command in text for command in _COMMANDS)


def find(text: str, names: Names) -> Iterator[Place]:
    """Find the values that are arguments, in text."""
    if "--" in text:
        yield from _flags(text, names)
    if "-" in text:
        yield from _commands(text)
    if '"' in text or "'" in text:
        yield from lists(text, names)


def lists(text: str, names: Names) -> Iterator[Place]:
    """Find the items of written lists that another item names."""
    for found in _LISTED.finditer(text):
        name = found[2].lstrip("-")
        if names.is_sensitive(name):
            start = found.end()
            end = _item_end(text, start, found[3])
            if not _is_spared(names, name, text[start:end]):
                yield Place(start, end, name)
    for found in _PAIR.finditer(text):
        name, quote = found[2], found[1]
        if not names.is_sensitive(name):
            continue
        start = found.end()
        end = _item_end(text, start, quote[:-1])
        closed = _PAIR_END.match(text, end)
        if end < len(text) and closed is None:
            continue
        if _is_spared(names, name, text[start:end]) or not _is_secret(
            names, name, text[start:end].strip("\"'\\"), in_a_row=_is_in_a_row(text, found, closed)
        ):
            continue
        yield Place(start, end, name, quote)


def hidden(items: Sequence[Any], names: Names, *, in_a_row: bool) -> Mapping[int, str]:
    """Tell which items of a list are secret, and what names each.

    Args:
        items: of a list that was parsed.
        names: the verdicts on names.
        in_a_row: each item of the list around it is a list of two, too.
    """
    found: dict[int, str] = {}
    command = items[0].rpartition("/")[2] if isinstance(items[0], str) else ""
    short = _FLAGS.get(command, "")
    for place, item in enumerate(items):
        if not isinstance(item, str) or item[:1] != "-":
            continue
        name = item.lstrip("-")
        if command in _JOINED and item[:2] == "-p" and len(item) > len("-p"):
            found[place] = command
        elif place + 1 < len(items) and (
            item == short or (_NAME.fullmatch(name) and names.is_sensitive(name))
        ):
            value = items[place + 1]
            if _is_leaf(value) and not _is_spared(names, name, str(value)):
                found[place + 1] = command if item == short else name
    if len(items) == len(("name", "value")) and isinstance(items[0], str):
        name, value = items
        if names.is_sensitive(name) and _is_secret(names, name, value, in_a_row=in_a_row):
            found[1] = name
    return found


def are_pairs(items: Sequence[Any]) -> bool:
    """Tell a list of at least two lists, each of a name and a value."""
    return len(items) > 1 and all(
        isinstance(item, (list, tuple))
        and len(item) == len(("name", "value"))
        and isinstance(item[0], str)
        for item in items
    )


def _is_leaf(value: Any) -> bool:
    return value is not None and not isinstance(value, (bool, list, tuple, dict))


def _is_secret(names: Names, name: str, value: Any, *, in_a_row: bool) -> bool:
    if value is None or isinstance(value, bool) or names.spares(name, value):
        return False
    # A sentence is no name: `["Invalid token", "Try again later"]`.
    if not (_SPACED if in_a_row else _NAME).fullmatch(name):
        return False
    # `["password", "email"]` is a list of names, unless it is one of several pairs.
    return in_a_row or not (isinstance(value, str) and _A_NAME.fullmatch(value))


def _item_end(text: str, start: int, escape: str) -> int:
    number = _NUMBER.match(text, start)
    return number.end() if number else value_end(text, start, escape)


def _is_in_a_row(text: str, pair: re.Match[str], closed: re.Match[str] | None) -> bool:
    if closed is None:
        return True
    before = _BEFORE.match(text[max(0, pair.start() - 65) : pair.start()][::-1])
    return before is not None and _BESIDE.match(text, closed.end()) is not None


def _is_spared(names: Names, name: str, value: str) -> bool:
    value = value.strip("\"'\\")
    # What the end of a text that was cut reads as is no value.
    if value.startswith(("--", "[TRUNCATED:")) or (value[:1] == "-" and len(value) == len("-p")):
        return True
    return names.spares(name, value)


def _flags(text: str, names: Names) -> Iterator[Place]:
    for found in _FLAG.finditer(text):
        name, start = found[1], found.end()
        if not names.is_sensitive(name):
            continue
        if text[start : start + 1] in ('"', "'", "\\"):
            escape = text[start : start + 8].partition('"')[0]
            end = value_end(text, start, escape if escape.strip("\\") == "" else "")
        else:
            bare = _BARE.match(text, start)
            end = bare.end() if bare else start
        value = text[start:end]
        if not _is_spared(names, name, value) and not _is_prose(name, value):
            yield Place(start, end, name)


def _is_prose(name: str, value: str) -> bool:
    value = value.rstrip(".,;:)")
    if _PLACEHOLDER.fullmatch(value) or value.lower() in _PROSE:
        return True
    # As help texts write it: `--password PASSWORD`.
    return value.isupper() and tokens(value)[-1:] in (tokens(name)[-1:], ("string",), ("text",))


def _commands(text: str) -> Iterator[Place]:
    for found in _COMMAND.finditer(text):
        bare = _BARE.match(text, found.end())
        if bare:
            yield Place(found.end(), bare.end(), found[0].partition(" ")[0][:16].strip("\"',\\"))
