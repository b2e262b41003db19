"""What a user can say about redaction."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Patterns: TypeAlias = Mapping[str, str] | Sequence[str] | tuple[tuple[str, str], ...]
"""Regular expressions: by name, or in a row, or (as the policy keeps them) name and regex pairs."""

_MODES: Final = ("mask", "remove")
_LONGEST_PATTERN: Final = 1_000
"""Characters. A longer expression is a list of values, and a list belongs into `deny`."""

_ATOM: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<[^>=!]*>|[^)]))?|\)|\{\d*,?\d*\}|.", re.DOTALL
)


class PolicyError(ValueError):
    """A redaction option that cannot be used; the message names it and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionPolicy:
    """What to mask beyond the built-in rules, and what to leave. Frozen and hashable.

    Lists are accepted where tuples are declared.

    Raises:
        PolicyError: an option has the wrong type, or a pattern does not compile or
            could take super-linear time.
    """

    deny: tuple[str, ...] = ()
    """Further names to mask: a bare name at any depth ("iban"), or a dotted path from the root
    of a JSON body or form, where `*` is one member or index and `**` any number of them
    ("users.*.email")."""
    allow: tuple[str, ...] = ()
    """Names or dotted paths that the name rules leave alone. Value rules still apply, and
    `deny` wins."""
    patterns: Patterns = ()
    """Further value rules: what one of these regular expressions finds is masked. Kept as name
    and regex pairs. At most 1,000 characters each; no repeated group that repeats or chooses."""
    mask: str = "mask"
    """"mask" writes `[REDACTED]`; "remove" takes a member, pair or header out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "deny", _names("deny", self.deny))
        object.__setattr__(self, "allow", _names("allow", self.allow))
        object.__setattr__(self, "patterns", _patterns(self.patterns))
        if self.mask not in _MODES:
            raise PolicyError(
                f"redaction option mask is {self.mask!r}: use one of {', '.join(_MODES)}"
            )

    def compiled(self) -> tuple[re.Pattern[str], ...]:
        """Compile the patterns, in their order."""
        return tuple(re.compile(regex) for _, regex in _pairs(self.patterns))


def _names(option: str, given: object) -> tuple[str, ...]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise PolicyError(
            f"redaction option {option} is a {type(given).__name__}:"
            f' give a list of names or dotted paths, such as {option}=["iban"]'
        )
    for name in given:
        if not isinstance(name, str) or not name.strip():
            raise PolicyError(
                f"redaction option {option} holds {name!r}: each name is a string that is not empty"
            )
    return tuple(given)


def _pairs(given: object) -> tuple[tuple[str, str], ...]:
    if isinstance(given, Mapping):
        return tuple(given.items())
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise PolicyError(
            f"redaction option patterns is a {type(given).__name__}:"
            " give a list of regular expressions, or a mapping of name to regular expression"
        )
    return tuple(
        (item[0], item[1])
        if isinstance(item, tuple) and len(item) == len(("name", "regex"))
        else (f"pattern {number}", item)
        for number, item in enumerate(given, 1)
    )


def _patterns(given: object) -> tuple[tuple[str, str], ...]:
    pairs = _pairs(given)
    for name, regex in pairs:
        _check(name, regex)
    return pairs


def _check(name: object, regex: object) -> None:
    where = f"redaction option patterns: {name!r}"
    if not isinstance(name, str) or not isinstance(regex, str):
        raise PolicyError(f"{where} is a {type(regex).__name__}: names and expressions are strings")
    if len(regex) > _LONGEST_PATTERN:
        raise PolicyError(f"{where} has {len(regex)} characters: use at most {_LONGEST_PATTERN:,}")
    try:
        compiled = re.compile(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"{where} does not compile ({error}): correct it") from error
    if compiled.search("") is not None:
        raise PolicyError(f"{where} matches the empty text: make it match at least one character")
    if _repeats_inside_repeat(regex):
        raise PolicyError(
            f"{where} repeats a group that itself repeats or chooses, which can take exponential"
            ' time: write the inner part as a character class ("[ab]+"), without a quantifier'
        )


def _repeats_inside_repeat(regex: str) -> bool:
    risky = [False]
    closed = False
    for atom in _ATOM.findall(regex):
        if atom in {"*", "+"} or (atom[0] == "{" and atom[-1] == "}" and atom not in {"{}", "{1}"}):
            if closed:
                return True
            risky[-1] = True
        elif atom == "|":
            risky[-1] = True
        closed = False
        if atom[0] == "(":
            risky.append(False)
        elif atom == ")" and len(risky) > 1:
            closed = risky.pop()
            risky[-1] = risky[-1] or closed
    return False
