"""One look at a text for what only its name gives away, as an expression of Go and a template.

The alternatives of a look are of two kinds: what is left, and what stands before a value that is
masked. There is one template for both, so it writes a seam and a mark behind either; a
second look takes both away where something was left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from otel_apimetrics.collector_rules.names import NameExpressions
from otel_apimetrics.collector_rules.words import JSON, NO_NAME, SPELLED, TEXT
from otel_apimetrics.redaction.phrases.signs import LABELS

MARK: Final = "[REDACTED:collector]"
"""Stands for the value of a sensitive name until `redaction`, which comes next, masks it once
more and so notes the attribute that it is in."""
_MARK: Final = r"\[REDACTED:collector\]"
_FIRST_MARK: Final = r"\[REDACTED[\]:]"
_SEAM: Final = "\ufdd0"
"""A code point that is no character (Unicode, section 23.7): no text has it."""
_SEAM_CODE: Final = r"\x{FDD0}"


@dataclass(frozen=True, slots=True)
class Look:
    """One replacement in a text."""

    pattern: str
    template: str
    """What is written for a match: `${1}` is its first group."""


@dataclass(frozen=True, slots=True)
class _Branch:
    """One alternative of a look."""

    before: str
    """What stays. Of a member whose value is masked, it has one group: the backslashes before
    its quotes."""
    value: str = ""
    """What is masked; "": nothing."""


def _string(level: int) -> str:
    """Match a string of JSON text that is itself inside of so many JSON strings, or cut."""
    slash, low = r"\\" * 2**level, r"\\" * (2**level - 1)
    outer = rf"|\\{{1,{2**level - 1}}}[^\"\\]" if level else ""
    return rf'{low}"(?:[^"\\]{outer}|{slash}(?:[^"\\]|{slash}|{low}"))*(?:{low}"|\\*$)'


def _container(part: str, depth: int) -> str:
    inner = f"|{_container(part, depth - 1)}" if depth > 1 else ""
    return rf"[\[{{](?:{part}{inner})*[\]}}]"


_LEVELS: Final = 3
_DEPTH: Final = 3
_STRINGS: Final = "|".join((*map(_string, range(_LEVELS)), r'\\+"[^"\\]*\\*"?'))
_SCALAR: Final = r'[^\s",{}\[\]\\ntf][^\s",{}\[\]\\]*'
"""Anything but null, true and false, which are no secrets."""
_CONTAINERS: Final = "|".join(
    (
        _container(r'[^"\\\[\]{}]|"(?:[^"\\]|\\.)*"', _DEPTH),
        _container(r"[^\"\\\[\]{}]|\\+[^\\]", _DEPTH),
        # Deeper, or cut: up to the end.
        r"[\[{].*",
    )
)
_ANY: Final = r'(?:[^"\\]|\\+[^"\\])*'
_HARMLESS: Final = (
    # Short; a path; words, markup or a URL; a time; digits or letters of one case alone.
    rf'\\*"(?:[^"\\]{{0,15}}|/{_ANY}|{_ANY}(?:[\s<]|://){_ANY}'
    rf'|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_ANY}|[^0-9A-Z"\\]*|[^0-9a-z"\\]*)\\*"|-?[0-9]{{1,11}}\b'
)
_BLANK: Final = r"(?:\s|\\+[nrt])*"
_COLON: Final = rf"{_BLANK}:{_BLANK}"
_OPEN: Final = rf"[{{,]{_BLANK}"
_LABEL: Final = rf'(?:\\*"(?i:{LABELS})\\*"{_COLON})?'
_VALUE: Final = rf'(?:\\*"{_BLANK},{_BLANK}\\*"(?i:value|val|content))?'


def _named(name: str, *, masked: bool = True) -> str:
    """Match a member's name, or a pair of members of which one names the other."""
    quote = r'(\\*)"' if masked else r'\\*"'
    return rf'{_OPEN}{_LABEL}{quote}(?:{name}){_VALUE}\\*"{_COLON}'


def members(names: NameExpressions) -> list[Look]:
    """Mask the members of sensitive names in JSON text."""
    value = f"{_STRINGS}|{_CONTAINERS}|{_SCALAR}"
    always, senses = names.always(JSON), names.two_senses(JSON)
    marked = rf'\\*"?(?:[A-Za-z0-9-]{{1,32}} )?{_FIRST_MARK}'
    branches = [_Branch(_named(f"{JSON.inside}*", masked=False) + marked)]
    if always:
        branches.append(_Branch(_named(always), value))
    branches.append(_Branch(rf'{_OPEN}{_LABEL}\\*"(?:{names.left(JSON)})\\*"'))
    branches.append(_Branch(_named(f"{SPELLED}|{names.sensitive(JSON)}"), value))
    if senses:
        branches.append(_Branch(f"{_named(senses, masked=False)}(?:{_HARMLESS})"))
        branches.append(_Branch(_named(senses), f"{_STRINGS}|{_SCALAR}"))
    return _looks(branches, quoted=True)


_SIGN: Final = r"['`]?\s{0,8}[=:](?:\\[nrt]|[=>\s])*"
_SCHEME: Final = r"(?:(?i:bearer|basic|digest|token|apikey|negotiate)[ \t]{1,4})?"
_LETTER: Final = r"(?:[^\s&\"'<>\\]|\\+(?:/|u00[23][0-9A-Fa-f]))"
_ASSIGNED: Final = "|".join(
    (r"'[^'\\]*'?", r"\"[^\"\\]*\"?", r"\\+\"[^\"\\]*\\*\"?", rf"{_SCHEME}{_LETTER}+")
)
_CREDENTIAL: Final = rf"\\*[\"']?[^\s&\"'<>\\/]{_LETTER}{{15,}}\\*[\"']?"
_BEFORE: Final = rf"(?:^|{NO_NAME})"
_HEADER_LINE: Final = r"(?i:(?:proxy-|set-)?(?:authorization|cookies?))\s{0,8}:\s*"


def assignments(names: NameExpressions) -> list[Look]:
    """Mask what is assigned to sensitive names in forms, queries and free text."""
    always, left, senses = names.always(TEXT), names.left(TEXT), names.two_senses(TEXT)
    branches = [_Branch(rf"{_BEFORE}{TEXT.inside}+{_SIGN}[\"'\\]*{_SCHEME}{_FIRST_MARK}")]
    if always:
        branches.append(_Branch(rf"{_BEFORE}(?:{always}){_SIGN}", _ASSIGNED))
    branches.append(_Branch(rf"{_BEFORE}{_HEADER_LINE}", r"[^\r\n\"\\]+"))
    branches.append(_Branch(rf"{_BEFORE}(?:{left})['`]?\s{{0,8}}[=:]"))
    if senses:
        branches.append(_Branch(rf"{_BEFORE}(?:{senses}){_SIGN}", _CREDENTIAL))
    branches.append(_Branch(rf"{_BEFORE}(?:{names.sensitive_whole(TEXT)}){_SIGN}", _ASSIGNED))
    branches.append(_Branch(rf"(?:{names.sensitive_end(TEXT)}){_SIGN}", _ASSIGNED))
    return _looks(branches, quoted=False)


_PARAMETER: Final = r"(?:[^&\s\"'<>\\#\[]|\[[^R])[^&\s\"'<>\\#]*"


def parameters(known: Sequence[str]) -> list[Look]:
    """Mask parameters whose names are sensitive in queries and forms alone.

    Args:
        known: their names, in small letters with underscores.
    """
    names = "|".join(sorted(name.replace("_", "[_-]?") for name in known))
    name = f"(?i:(?:x[_-])?(?:{names}))="
    return [
        Look(f"([?&]{name}){_PARAMETER}", f"${{1}}{MARK}"),
        # A first pair is one only where a second follows, or nothing.
        Look(f"^({name}){_PARAMETER}(&|$)", f"${{1}}{MARK}${{2}}"),
    ]


def userinfo() -> Look:
    """Mask who calls, in a text that is a URL (RFC 3986, section 3.2.1)."""
    return Look(r"(//)[^\s/?#@\"'<>\\\[]+@", f"${{1}}{MARK}@")


def state() -> Look:
    """Mask the parameter `state`, for texts that have the others of OAuth 2.0 (RFC 6749)."""
    return Look(f"((?:^|[?&])(?i:state)=){_PARAMETER}", f"${{1}}{MARK}")


def _looks(branches: Sequence[_Branch], *, quoted: bool) -> list[Look]:
    alternatives: list[str] = []
    left: list[str] = []
    before: list[str] = []
    slashes: list[str] = []
    number = 0
    for branch in branches:
        number += 1
        if not branch.value:
            alternatives.append(f"({branch.before})")
            left.append(f"${{{number}}}")
            continue
        alternatives.append(f"({branch.before})(?:{branch.value})")
        before.append(f"${{{number}}}")
        if quoted:
            number += 1
            slashes.append(f"${{{number}}}")
    slash, quote = "".join(slashes), '"' if quoted else ""
    mark = f"{slash}{quote}{MARK}{slash}{quote}"
    return [
        Look(f"(?s){'|'.join(alternatives)}", f"{''.join(left)}{_SEAM}{''.join(before)}{mark}"),
        Look(f"{_SEAM_CODE}{quote}{_MARK}{quote}", ""),
        Look(_SEAM_CODE, ""),
    ]
