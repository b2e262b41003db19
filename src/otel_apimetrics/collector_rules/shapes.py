"""The value rules as regular expressions of Go, and what became of each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from otel_apimetrics.collector_rules.dialect import (
    NoEqualError,
    guard_of,
    loosened,
    printable,
    translated,
)
from otel_apimetrics.redaction.personal import PERSONAL
from otel_apimetrics.redaction.policy import RedactionPolicy
from otel_apimetrics.redaction.values import BUILT_IN, Rule


@dataclass(frozen=True, slots=True)
class Shape:
    """What became of one rule."""

    remark: str
    """Its name, and where it differs from the rule in the app."""
    expressions: tuple[str, ...]
    """None: it is left out, and the remark says why."""
    begins: bool
    """The expressions begin with plain letters, for which Go searches fast."""


_COUNTRIES: Final = (
    "A[DELTZ]|B[AEGHIRY]|C[HRYZ]|D[EJKO]|E[EGS]|F[IKOR]|G[BEILRT]|H[NRU]|I[ELQST]|JO|K[WZ]"
    "|L[BCITUVY]|M[CDEKNRTU]|N[ILO]|OM|P[KLST]|QA|R[OSU]|S[ACDEIKMOTV]|T[LNR]|UA|V[AG]|XK|YE"
)
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_SEXTET: Final = "[0-9A-Fa-f]{1,4}"
_LETTER: Final = "[A-Za-z0-9._~+/=-]"
_SMALL: Final = "[a-z.-]"
_TELLING: Final = "[A-Z0-9_~+/=]"

_NO_DIGIT: Final = r"(?:\b|[A-Za-z_])"
_CARD: Final = (
    # The first digits of issuers, then the lengths that they issue; groups as embossed.
    r"(?:(?:2[2-7]|3[05689]|4[0-9]|5[0-8]|6[0-9])[0-9]{2}(?:[0-9]{12}|(?:[ -][0-9]{4}){3})"
    r"|(?:4[0-9]|5[06-8]|6[0-9])[0-9]{2}"
    r"(?:[0-9]{15}|(?:[ -][0-9]{3}){3}|(?:[ -][0-9]{4}){3}[ -][0-9]{3})"
    r"|(?:5[06-8]|6[0-9])[0-9]{2}(?:[0-9]{14}|(?:[ -][0-9]{4}){3}[0-9]{2})"
    r"|6[0-9]{3}(?:[0-9]{13}|(?:[ -][0-9]{4}){3}[0-9])"
    r"|(?:3[47]|6[0-9])[0-9]{2}(?:[0-9]{11}|[ -][0-9]{6}[ -][0-9]{5})"
    r"|3[0689][0-9]{2}(?:[0-9]{10}|[ -][0-9]{6}[ -][0-9]{4}))"
)
_LABEL: Final = (
    # Words that begin with CER, PUB and SIG are those of what is public.
    r"(?:[ABD-OQRT-Z0-9][A-Z0-9]*|C(?:[A-DF-Z0-9][A-Z0-9]*|E(?:[A-QS-Z0-9][A-Z0-9]*)?)?"
    r"|P(?:[A-TV-Z0-9][A-Z0-9]*|U(?:[AC-Z0-9][A-Z0-9]*)?)?"
    r"|S(?:[A-HJ-Z0-9][A-Z0-9]*|I(?:[A-FH-Z0-9][A-Z0-9]*)?)?)"
)
_PEM: Final = (
    rf"-----BEGIN {_LABEL}(?: {_LABEL})*(?:-----|-{{0,4}}$)"
    r"(?:[\s\\nr]{1,8}(?:Version|Comment|MessageID|Hash|Charset): [^\n\\\"]*){0,4}"
    r"(?:-{0,4}[A-Za-z0-9+/=\s\\:,.])*(?:-----END [A-Z0-9 ]+(?:-----)?)?"
)
_USERINFO: Final = r"""://[^\s/?#@:"'<>\\\[]*:[^\s/?#@"<>]+(?:@|%40)"""
_SIXTH: Final = 6
_CREDENTIAL: Final = "|".join(
    # Eight letters at least, of which one is none of a word's, and it is not the first.
    (
        *(
            rf"{_LETTER}{_SMALL}{{{before}}}{_TELLING}{_LETTER}{{{_SIXTH - before},}}"
            for before in range(_SIXTH + 1)
        ),
        rf"{_LETTER}{_SMALL}{{7,}}{_TELLING}{_LETTER}*",
    )
)
_SCHEME: Final = rf"\b(?i:bearer|basic) {{1,4}}(?:{_CREDENTIAL})"
_OPENAI: Final = r"sk-[a-z-]{0,32}[A-Z0-9_][\w-]{16,}"
_GROUP: Final = "[ -]?[0-9A-Z]"
_IBAN: Final = (
    rf"(?:{_COUNTRIES})[0-9]{{2}}(?:(?:{_GROUP}{{4}}){{3,7}}(?:{_GROUP}{{1,3}})?"
    rf"|(?:{_GROUP}{{4}}){{2}}{_GROUP}{{3}})(?:\b|_)"
)
_SSN: Final = (
    r"(?:00[1-9]|0[1-9][0-9]|[1-578][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])"
    r"-(?:0[1-9]|[1-9][0-9])-(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
)
_IP: Final = (
    rf"{_OCTET}(?:\.{_OCTET}){{3}}\b|(?:{_SEXTET}:){{7}}{_SEXTET}\b"
    rf"|{_SEXTET}(?::{_SEXTET}){{0,6}}::(?:{_SEXTET}(?::{_SEXTET}){{0,6}})?"
)
_CARDS_DIFFER: Final = (
    "looser: Luhn is not computed, so that numbers and fractions of 14 to 19 digits that begin"
    " like a card are masked. Not found: other groups than those that are embossed, and 13 digits"
    " in one piece, which are mostly bar codes"
)
_IPS_DIFFER: Final = (
    "looser: four numbers of a version are an address. Not found: what begins with two colons"
)
_SPECIAL: Final = {
    "pem": _PEM,
    "auth_scheme": _SCHEME,
    "url_userinfo": _USERINFO,
    "openai": _OPENAI,
    "iban": _IBAN,
    "card": _CARD + _NO_DIGIT,
    "ssn": _SSN + _NO_DIGIT,
    "ip": _IP,
}
"""Of what `loosened` could not make well."""
_SPELLED_OUT: Final = {
    "aws_access_key": (
        "AKIA[A-Z2-7]{16}",
        "ASIA[A-Z2-7]{16}",
        "ABIA[A-Z2-7]{16}",
        "ACCA[A-Z2-7]{16}",
    ),
}
"""Of what has more than one beginning."""
_DIFFERS: Final = {
    "auth_scheme": "before small letters alone, `Bearer` and `Basic` are taken for prose",
    "openai": "32 small letters at the beginning are taken for the words of a slug",
    "iban": "looser: mod 97 is not computed, so any number of this shape is masked",
    "card": _CARDS_DIFFER,
    "ip": _IPS_DIFFER,
}
_GUARDED: Final = frozenset({"openai", "stripe", "sendgrid", "iban", "card", "ssn", "email", "ip"})
"""Of these, the middle of a word would too often have the shape."""
_AFTER: Final = r"\\[bfnrt]|\\u[0-9a-fA-F]{4}|%[0-9A-Fa-f]{2}"
"""Escapes of JSON and URLs: the letter at their end is none that a secret goes on from."""


def shapes(policy: RedactionPolicy) -> list[Shape]:
    """Give the value rules of a policy: the built-in ones, then the user's."""
    rules = [*BUILT_IN, *(PERSONAL if policy.pii else ())]
    own = cast("tuple[tuple[str, str], ...]", policy.patterns)
    return [*map(_shape, rules), *(_own(name, regex) for name, regex in own)]


def fast(found: Iterable[Shape]) -> list[Shape]:
    """Give those that `redaction` may apply in any order, as it does."""
    return [shape for shape in found if shape.begins]


def slow(found: Iterable[Shape]) -> list[Shape]:
    """Give those that have to be joined, and to come when the others are done.

    One that finds digits would cut a token in two before another has found the token.
    """
    return [shape for shape in found if not shape.begins]


def together(found: Iterable[Shape]) -> str:
    """Join value rules: one look, in which the match that begins first wins."""
    return "|".join(f"(?:{one})" for shape in found for one in shape.expressions)


def _shape(rule: Rule) -> Shape:
    differs = _DIFFERS.get(rule.id)
    remark = f"{rule.id}: {differs}" if differs else rule.id
    expressions = _SPELLED_OUT.get(rule.id) or (_expression(rule),)
    return Shape(remark, expressions, begins=all(map(_is_plain, expressions)))


def _expression(rule: Rule) -> str:
    regex = _SPECIAL.get(rule.id) or loosened(rule.pattern.pattern)
    letters = guard_of(rule.pattern.pattern)
    if letters is None or rule.id not in _GUARDED:
        return regex
    # A letter before a match that is no part of it is masked with it.
    before = f"|[{_ranges(letters)}]" if letters else ""
    return rf"(?:\b{before}|{_AFTER})(?:{regex})"


def _is_plain(expression: str) -> bool:
    return expression[0] not in "([\\" and "|" not in re.sub(r"\(.*\)", "", expression)


def _ranges(letters: str) -> str:
    for run in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"):
        letters = letters.replace(run, f"{run[0]}-{run[-1]}")
    return letters


def _own(name: str, regex: str) -> Shape:
    name = printable(name)
    try:
        return Shape(f"your {name}", (translated(regex),), begins=False)
    except NoEqualError as error:
        remark = f"LEFT OUT: your {name}: {error}, and Go cannot. Write it without."
        return Shape(remark, (), begins=False)
