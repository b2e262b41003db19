"""The names of a JSON text's members, without reading it.

One split at each `":` leaves a name at the end of each piece. Pieces that come again are looked
at once, and a name that was judged before costs one look into a dict. What is odd, such as an
escape in a name, is left to those who read the text.
"""

import re
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from otel_apimetrics.redaction.leading import name_before, telling_before
from otel_apimetrics.redaction.names import SETTING, Names
from otel_apimetrics.redaction.settings import opens_setting
from otel_apimetrics.redaction.together import ALONE, QUIET, SINGLE, Together

NESTED: Final = re.compile(r'\\"[\s\\nrt]{0,16}:|\\u00[2-7]|\\/')
"""Signs that a string holds JSON, or spells plain characters so that a scan cannot see them."""
_PLAIN_LETTER: Final = re.compile(r"\\u00[2-7]")
"""The escape of a letter that needs none: any string may read otherwise than it is written."""
_COMMENT: Final = re.compile(r"/(?:\*|(?<!:/)/)")
"""A comment may stand between a name and its sign; two slashes behind a colon are a URL's."""
_SIGNS: Final = (
    ("=", re.compile(r"=(?<![=!<>]=)")),
    # But those of URLs and of times, whose name is digits: "2026-01-31T12:30:45.123+01:00".
    (
        ":",
        re.compile(
            r":(?!//)(?<![^\w.$%\[\]-][0-9]{2}:)(?<!\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:)",
        ),
    ),
)
"""The signs of assignments in the pieces; those of members are where the pieces were split."""
_CODE: Final = "code"
"""The name of a parameter of OAuth's: what is beside it tells."""
_NUMBER: Final = "0123456789.-"
_BLANK: Final = re.compile(r"\s*")
_UNSURE: Final = frozenset(" \t\n\r\f\v\"'`\\")
"""Before a sign: it may be a member's, behind blanks, or a name in other quotes."""


Sign = tuple[int, str]
"""The place of a colon, and the sensitive name before it."""


class Glance(NamedTuple):
    """What the names in a text tell."""

    sample: str
    """Each piece of the text once: what has no double quote in it is here if it is there."""
    signs: list[Sign] | None
    """Those behind sensitive names, in order; `None` where somebody has to read the text to know.
    Where it is empty, nothing in the text is masked for its name, whether it parses or not."""
    members: int = 0
    """How many members its objects have, if it is JSON; 0 where that was not told."""


def glance(text: str, together: Together, unsigned: Callable[[str], bool]) -> Glance:
    """Look at a text that claims to be JSON.

    Args:
        text: without a byte order mark.
        together: the verdicts on names.
        unsigned: tells whether something may be named without a sign; no name has a `":` in it.
    """
    names = together.names
    pieces = text.split('":')
    rest = pieces.pop()
    different = set(pieces)
    # A piece without a quote is its own end.
    ends = [piece.rpartition('"')[2] for piece in different]
    found = frozenset(ends)
    sample = "\n".join((*different, rest))
    if not found.isdisjoint(different) or _is_odd(text, different, names):
        return Glance(sample, None)
    told = together[found]
    if told is None or _assigns(sample, names) or unsigned(sample) or _has_comment(sample):
        return Glance(sample, None)
    sensitive, begins, settings, between = told
    members = 0 if between or "\\" in text else len(pieces)
    if not sensitive:
        return Glance(sample, [], members)
    if begins:
        signs = _each(text, begins, sensitive)
    else:
        named = {
            piece: name for piece, name in zip(different, ends, strict=True) if name in sensitive
        }
        signs = _all(text, pieces, named)
    if settings:
        signs = [one for one in signs if one[1] not in settings or not _holds_setting(text, one[0])]
    return Glance(sample, signs, members)


def _has_comment(sample: str) -> bool:
    return "/" in sample and _COMMENT.search(sample) is not None


def _is_odd(text: str, pieces: set[str], names: Names) -> bool:
    """Tell whether what ends the pieces may not be the names, or not tell enough."""
    if names.ends_open or names.denies_times:
        return True
    return "\\" in text and (
        NESTED.search(text) is not None
        or any("\\" in piece[max(0, piece.rfind('"') - 1) :] for piece in pieces)
    )


def _assigns(sample: str, names: Names) -> bool:
    """Tell whether a sign that is not a member's may assign something to a sensitive name."""
    for letter, pattern in _SIGNS:
        for sign in pattern.finditer(sample) if letter in sample else ():
            end = sign.start()
            if end == 0 or sample[end - 1] in _UNSURE:
                return True
            name = telling_before(sample, end, names)[0]
            if name.strip(_NUMBER) and (names[name] not in QUIET or name.lower() == _CODE):
                return True
    return False


def _each(text: str, begins: Collection[str], names: Collection[str]) -> list[Sign]:
    """Search for the names by how they begin: their signs, in order."""
    signs: dict[int, str] = {}
    for begin in begins:
        # Without its quote, which is everywhere: a search stops at what ends like the begin. From
        # the end, because CPython searches about twice as fast backwards.
        start = text.rfind(begin)
        while start > 0:
            if text[start - 1] == '"':
                end = text.find('"', start)
                name = text[start:end]
                if end > 0 and name in names and text.startswith(":", end + 1):
                    signs[end + 1] = name
            # One may overlap the next.
            start = text.rfind(begin, 0, start + len(begin) - 1)
    return sorted(signs.items())


def _all(text: str, pieces: list[str], ends: dict[str, str]) -> list[Sign]:
    """Go once over the pieces for all names: their signs, in order."""
    signs: list[Sign] = []
    end = 0
    for piece in filter(ends.__contains__, pieces):
        name = ends[piece]
        # None of these names is before the next of them.
        end = text.index(f'"{name}":', end) + len(name) + 3
        signs.append((end - 1, name))
    return signs


def _holds_setting(text: str, sign: int) -> bool:
    """Tell a value that is no secret under a name that only tells something about one."""
    blank = _BLANK.match(text, sign + 1)
    return opens_setting(text, blank.end() if blank else sign + 1)


def judged(text: str, signs: list[int], names: Names) -> list[Sign] | None:
    """Keep the signs whose names are sensitive wherever they stand; `None` where the place decides.

    Args:
        text: one that is whole, so that a quoted name before a colon is a member's.
        signs: the places that a sieve points at.
        names: the verdicts on names.
    """
    kept: list[Sign] = []
    for sign in signs:
        name, quote, _ = name_before(text, sign)
        verdict = names[name]
        # A sign without a quote before it may be one in a name: `"credentials&:": 1`.
        if verdict in SINGLE and quote:
            continue
        if verdict not in ALONE or quote != '"' or text[sign] != ":" or names.homonyms[name]:
            return None
        if verdict != SETTING or not _holds_setting(text, sign):
            kept.append((sign, name))
    return kept


def is_whole(text: str) -> bool:
    """Tell a document from its begin to its end whose names are all as they are written.

    Other escapes do no harm: a name behind an escaped quote is odd at the first look.
    """
    stripped = text.strip()
    return (
        stripped[:1] in ("{", "[")
        and stripped[-1] in "]}"
        and ("\\" not in text or NESTED.search(text) is None)
    )


def verbatim_in(text: str) -> Callable[[str], bool]:
    """Give what tells the strings of a JSON text that are written in it as they read.

    What nobody has found in the text is in none of these.
    """
    if "\\" not in text:
        return lambda _string: True
    if _PLAIN_LETTER.search(text):
        return lambda _string: False
    slashes = "\\/" in text
    return lambda string: (
        string.isascii()
        and string.isprintable()
        and '"' not in string
        and "\\" not in string
        and not (slashes and "/" in string)
    )
