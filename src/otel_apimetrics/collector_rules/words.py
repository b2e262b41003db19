"""The words of names, written as regular expressions of Go."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from string import ascii_lowercase, digits
from typing import Final
from urllib.parse import quote

from otel_apimetrics.collector_rules.dialect import escaped
from otel_apimetrics.redaction.names import tokens
from otel_apimetrics.redaction.vocabulary import ABOUT, ANY, COUNTED, ENDS, PAIRS


@dataclass(frozen=True, slots=True)
class Letters:
    """What a name is made of in one place."""

    inside: str
    """Any of its letters."""
    border: str
    """Those that part its words."""
    gap: str
    """Those that may stand between two words."""
    lead: str = ""
    """What may stand before a name that is sensitive as a whole."""


JSON: Final = Letters(r'[^"\\]', r'[^A-Za-z0-9"\\]', r'[^A-Za-z"\\]*')
"""In the name of a JSON member, escapes aside."""
ATTRIBUTE: Final = Letters("[^.]", "[^A-Za-z0-9.]", "[^A-Za-z.]*")
"""In the last part of an attribute's key."""
TEXT: Final = Letters(
    r"[\w.$%\[\]\x{80}-\x{10FFFF}-]",
    # Folding cases over all of Unicode, for nothing, takes Go most of a second.
    r"(?-i:[_.$%\[\]\x{80}-\x{10FFFF}-]|%[0-9A-Fa-f]{2})",
    r"[^A-Za-z\s=:&]*",
    r"(?:[\w.$%\[\]-]*(?:\[|%5[Bb]))?",
)
"""In a form, a query or an assignment."""
NO_NAME: Final = r"[^\w.$%\[\]\x{80}-\x{10FFFF}-]"
"""What stands before a name of `TEXT`."""

_ESCAPED_LETTER: Final = r"\\+u00(?:4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])"
SPELLED: Final = rf"{JSON.inside}*(?:{_ESCAPED_LETTER}{JSON.inside}*)+"
"""A name that spells its ASCII letters as escapes: only who hides it does."""
_COUNTS: Final = ("count", "counts", "details", "logprobs", "usage")
_BESIDE_COUNTS: Final = (*_COUNTS, "creation", "new", "read", "reset", "tokens", "write")
_LONG: Final = 6
"""Letters of a word that is told by all but its first."""
_VENDORS: Final = "x|anthropic|openai"


def last_step(name: str) -> str:
    """Give the last step of a dotted path that is a name, or "" where there is none."""
    return next((step for step in reversed(name.split(".")) if step.strip("*0123456789")), "")


def other_than(names: Iterable[str]) -> str:
    """Match what goes on to the end of a key's part and is none of these names.

    Args:
        names: in small letters and digits; "_" stands for any other letter.
    """
    names = list(names)
    heads = sorted({name[0] for name in names if name})
    if not heads:
        return "[^.]+" if names else "[^.]*"
    others = "".join(sorted({*ascii_lowercase, *digits} - {*heads}))
    other = f"[{others}]" if "_" in heads else f"[^{''.join(heads)}.]"
    parts = [f"{other}[^.]*"]
    for head in heads:
        rest = other_than(name[1:] for name in names if name[:1] == head)
        parts.append(f"{'[^a-z0-9.]' if head == '_' else head}{rest}")
    return f"(?:{'|'.join(parts)}){'' if '' in names else '?'}"


def ascii_start(word: str) -> int:
    """Give the index of the first letter of a word that is beyond ASCII."""
    return next(index for index, letter in enumerate(word) if not letter.isascii())


def anywhere(word: str) -> str:
    """Write a word with its letters beyond ASCII in every spelling: plain, JSON's and a form's."""
    if word.isascii():
        return escaped(word)
    return "".join(
        escaped(letter)
        if letter.isascii()
        else f"(?:{escaped(letter)}|{_in_json(letter)}|{_in_a_form(letter)})"
        for letter in word
    )


def _in_a_form(letter: str) -> str:
    return f"(?i:{quote(letter, errors='surrogatepass')})"


def _in_json(letter: str) -> str:
    codes = json.dumps(letter).strip('"').split("\\u")[1:]
    return "".join(rf"\\+u(?i:{code})" for code in codes)


def has_unit(words: Sequence[str]) -> bool:
    """Tell whether a name would be sensitive by one of its words, or two that are neighbours."""
    return (
        not ANY.isdisjoint(words)
        or not PAIRS.isdisjoint(pairwise(words))
        or any(word.endswith(ENDS) for word in words)
        or words[-1] == "pass"
    )


def spelling(name: str) -> str:
    """Give the one spelling that stands for all of a name."""
    return "_".join(tokens(name)) or name.lower()


def whole(names: str, letters: Letters) -> str:
    """Match names that are one of these from end to end."""
    border = letters.border
    return rf"{letters.lead}{border}*(?:(?i:x|http){border}+)*(?:(?i:{names}))[0-9]*{border}*"


def anyhow(name: str, gap: str) -> str:
    """Match a name however its words are joined."""
    words = tokens(name)
    return gap.join(map(anywhere, words)) if words else anywhere(name)


def exactly(names: Iterable[tuple[str, ...]], letters: Letters) -> str:
    """Match names whose words are parted, by a sign or by capitals; sorted, as in `units`."""
    names = sorted(names)
    apart = "|".join(f"{letters.border}+".join(map(anywhere, words)) for words in names)
    joined = [
        anywhere(first) + "".join(anywhere(word.title()) for word in rest)
        for first, *rest in (*names, *((words[0].title(), *words[1:]) for words in names))
        if rest
    ]
    return "|".join((whole(apart, letters), *sorted(joined)))


def forms(words: Iterable[str]) -> str:
    """Write words in the three forms that stay one word where names are split by cases."""
    words = list(words)
    return "|".join((*words, *(word.title() for word in words), *(word.upper() for word in words)))


def about(letters: Letters) -> str:
    """Match the names that end in a word about a secret."""
    titles = "|".join(word.title() for word in sorted(ABOUT))
    return (
        rf"{letters.inside}*{letters.border}(?:{forms(sorted(ABOUT))})[0-9]*"
        rf"|[A-Za-z0-9]*[a-z0-9](?:{titles})[0-9]*"
    )


def counted(border: str) -> str:
    """Match names of numbers of tokens: pieces of text that are counted."""
    ones = sorted(COUNTED - {"token"})
    more = sorted({*ones, *_BESIDE_COUNTS})
    gap = rf"{border}+"
    counts = "|".join(_COUNTS)
    first = rf"(?:(?:{_VENDORS}){gap})?(?:tokens{gap})?(?:{'|'.join(ones)})"
    rest = rf"(?:{gap}(?:{'|'.join(more)}))*(?:{gap}token{gap}(?:{counts}))?"
    joined = rf"(?:{'|'.join(map(str.title, more))})*(?:Token(?:{counts.title()}))?"
    return (
        rf"(?i:{first}{rest}|token{gap}(?:{counts}))"
        rf"|(?:[tT]okens)?(?:{'|'.join((*ones, *map(str.title, ones)))}){joined}"
        rf"|[tT]oken(?:{counts.title()})"
    )


def units(gap: str) -> str:
    """Write the words, and the pairs of words by their first, sorted: Go shares what begins alike.

    Args:
        gap: what may stand between two words.
    """
    written = [anywhere(word) for word in ANY if not word.endswith(ENDS)]
    for first, group in groupby(sorted(PAIRS), key=itemgetter(0)):
        written.append(f"{first}{gap}(?:{'|'.join(second for _, second in group)})")
    return "|".join(sorted(written))


def capital_units(gap: str) -> str:
    """Write what `units` writes, with the capital that begins a word inside of a name.

    Any capital will do where the rest is long: one class of letters costs Go much less than a
    choice of twenty.

    Args:
        gap: what may stand between two words.
    """
    single = [word for word in ANY if not word.endswith(ENDS)]
    rests = [anywhere(word[1:]) for word in single if len(word) >= _LONG]
    for first, group in groupby(sorted(PAIRS), key=itemgetter(0)):
        seconds = (f"[{second[0]}{second[0].upper()}]{second[1:]}" for _, second in group)
        rests.append(f"{first[1:]}{gap}(?:{'|'.join(seconds)})")
    found = f"[A-Z](?:{'|'.join(sorted(rests))})"
    exact = sorted(word.title() for word in single if len(word) < _LONG)
    return "|".join((found, *exact))
