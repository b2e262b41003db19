"""Which characters of a text are taken out: those that are not in what is left of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

from otel_apimetrics.redaction.explain import ALONE, NUMBERED

MARKS: Final = re.compile(rf'"(?:{NUMBERED.pattern})"|{NUMBERED.pattern}|{ALONE.pattern}')
"""What stands for something in a text with numbered marks; with its quotes, because a number
that is masked gets them."""
_TELLING: Final = 8
"""Characters of the shortest text of which the first two are shown."""


class Segment(NamedTuple):
    """A piece of a text."""

    text: str
    taken: bool
    """It is not in what is left."""


class Block(NamedTuple):
    """Lines that belong together on both sides: indices, the ends exclusive."""

    same: bool
    start: int
    end: int
    other_start: int
    other_end: int


def blocks(
    lines: Sequence[str], others: Sequence[str], secrets: Mapping[int, str] | None = None
) -> Iterator[Block]:
    """Pair lines with those that they became.

    Args:
        lines: of the text.
        others: of what is left; with numbered marks where `secrets` are given.
        secrets: what was found, by number.
    """
    if len(lines) == len(others):
        for at, (line, other) in enumerate(zip(lines, others, strict=True)):
            yield Block(line == other, at, at + 1, at, at + 1)
        return
    exact = None if secrets is None else _exact("\n".join(lines), "\n".join(others), secrets)
    if exact is not None:
        yield from _blocks_of(exact, len(lines), len(others))
        return
    # Not its `ratio`, so that frequent lines may be passed over: they would cost quadratic time.
    for tag, *ends in SequenceMatcher(None, lines, others).get_opcodes():
        block = Block(tag == "equal", *ends)
        yield from (block,) if block.same else _narrowed(block, lines, others)


def _blocks_of(pieces: Sequence[Segment], lines: int, others: int) -> Iterator[Block]:
    """Pair lines by what was taken out of them; a mark has one line."""
    changed: list[Block] = []
    at = other = 0
    for piece in pieces:
        breaks = piece.text.count("\n")
        if piece.taken:
            end = at + breaks + 1
            if changed and changed[-1].end > at:
                changed[-1] = changed[-1]._replace(end=end)
            else:
                changed.append(Block(False, at, end, other, other + 1))
        at += breaks
        other += 0 if piece.taken else breaks
    at = other = 0
    for block in (*changed, Block(False, lines, lines, others, others)):
        if block.start > at:
            yield Block(True, at, block.start, other, block.other_start)
        if block.end > block.start:
            yield block
        at, other = block.end, block.other_end


def _narrowed(block: Block, lines: Sequence[str], others: Sequence[str]) -> Iterator[Block]:
    """Take single lines off both ends of a block where they became single lines."""
    _, start, end, other_start, other_end = block
    while start < end and other_start < other_end and _fits(lines[start], others[other_start]):
        yield Block(False, start, start + 1, other_start, other_start + 1)
        start, other_start = start + 1, other_start + 1
    last: list[Block] = []
    while start < end and other_start < other_end and _fits(lines[end - 1], others[other_end - 1]):
        last.append(Block(False, end - 1, end, other_end - 1, other_end))
        end, other_end = end - 1, other_end - 1
    if start < end or other_start < other_end:
        yield Block(False, start, end, other_start, other_end)
    yield from reversed(last)


def _fits(line: str, other: str) -> bool:
    found = _exact(line, other, {})
    # What is open at the end of a line goes on in the next ones.
    return found is not None and not any(
        piece.taken and piece.text.endswith(("{", "[")) for piece in found
    )


def shortened(text: str) -> str:
    """Show that something was there, and so much of it that its owner knows it again."""
    if len(text) < _TELLING:
        return "…" if text else ""
    first, *_ = text[:2].split("\n")
    return f"{first}…"


def segments(before: str, noted: str, secrets: Mapping[int, str]) -> list[Segment]:
    """Split a text into what is left and what is taken out of it.

    No character that is not in the other text is ever told as left.

    Args:
        before: the text.
        noted: what is left, with numbered marks.
        secrets: what was found, by number.
    """
    exact = _exact(before, noted, secrets)
    return _between(before, noted) if exact is None else exact


def _exact(before: str, noted: str, secrets: Mapping[int, str]) -> list[Segment] | None:
    """Find all that is left in the text, in its order; `None` where it is written anew."""
    tokens = list(MARKS.finditer(noted))
    found: list[Segment] = []
    at = done = 0
    for token, following in zip(tokens, (*tokens[1:], None), strict=False):
        literal = noted[done : token.start()]
        rest = noted[token.end() : following.start() if following else len(noted)]
        if not before.startswith(literal, at):
            return None
        at += len(literal)
        end = _end(before, at, rest, token, secrets, last=following is None)
        if end < at:
            return None
        found += (Segment(literal, taken=False), *_taken(before[at:end], token[0]))
        at, done = end, token.end()
    if before[at:] != noted[done:]:
        return None
    return [*found, Segment(before[at:], taken=False)]


def _taken(text: str, token: str) -> tuple[Segment, ...]:
    if text == token:
        return (Segment(text, taken=False),)
    if token[0] == '"' == text[:1] == text[-1:] and len(text) > 1:
        quoted = Segment('"', taken=False)
        return quoted, Segment(text[1:-1], taken=True), quoted
    return (Segment(text, taken=True),)


def _end(
    before: str,
    at: int,
    rest: str,
    token: re.Match[str],
    secrets: Mapping[int, str],
    *,
    last: bool,
) -> int:
    """Tell where the text ends that a mark stands for; -1: nobody knows."""
    if last:
        return len(before) - len(rest) if before.endswith(rest) else -1
    number = token[1] or token[2]
    for way in (token[0], *_spellings(secrets.get(int(number), "") if number else "")):
        if way and before.startswith(way + rest, at):
            return at + len(way)
    return before.find(rest, at) if rest else -1


def _spellings(secret: str) -> Iterator[str]:
    for way in (secret, encode_basestring(secret)[1:-1], encode_basestring_ascii(secret)[1:-1]):
        yield way
        yield f'"{way}"'
    yield quote(secret, safe="", errors="replace")
    yield quote_plus(secret, errors="replace")


def _between(before: str, noted: str) -> list[Segment]:
    """Tell as taken out all between the first and the last difference."""
    tokens = list(MARKS.finditer(noted))
    start = _shared(before, noted[: tokens[0].start()] if tokens else noted)
    tail = noted[max(tokens[-1].end() if tokens else 0, start) :]
    end = len(before) - _shared(before[start:][::-1], tail[::-1])
    return [
        Segment(before[:start], taken=False),
        Segment(before[start:end], taken=True),
        Segment(before[end:], taken=False),
    ]


def _shared(text: str, other: str) -> int:
    """Count the characters with which both begin."""
    pairs = zip(text, other, strict=False)
    differs = (at for at, (letter, others) in enumerate(pairs) if letter != others)
    return next(differs, min(len(text), len(other)))
