"""What a user can say about redaction."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Final, TypeAlias

from otel_apimetrics.redaction.expressions import compiled
from otel_apimetrics.redaction.marks import MODES, Marker

Patterns: TypeAlias = Mapping[str, str] | Sequence[str] | tuple[tuple[str, str], ...]
"""Regular expressions: by name, or in a row, or (as the policy keeps them) name and regex pairs."""

_NO_PATH: Final = re.compile(
    r"\A\*{1,2}\Z|\A[^.]*\*[^.]*\Z|\A\$?\.|\.\.|\.\Z|\[(?:\*|[0-9]*)\]|[^.*]\*|\*[^.*]|\*{3}"
)
"""JSONPath, wildcards inside of a name, and empty steps: what would be accepted and never match."""
_LONGEST_PATTERN: Final = 1_000
"""Characters. A longer expression is a list of values, and a list belongs into `deny`."""

_PROCESS_KEY: Final = secrets.token_bytes(32)

_PATHS: Final = (
    r"(?i)/(?:log[_-]?in|sign[_-]?in|sign[_-]?up|register|registration|auth|oauth2?|tokens?"
    r"|[a-z_-]{0,32}password[a-z_-]{0,32}|reset|mfa|otp|2fa|payments?|cards?)(?:[/.:;]|$)"
)
SENSITIVE_PATHS: Final = (_PATHS,)
"""Paths of routes that take passwords, codes and cards, whatever their bodies look like."""

Callback: TypeAlias = Callable[[str, str], str]
"""Takes a redacted text and where it stood ("body", "query", "path", "url", "text", "attribute" or
"header:" and the name), and returns it with still more taken out."""


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
    ("users.*.email"). The steps of a path are compared by their words, as bare names are:
    "emailAddress" is "email_address" and "Email-Address" too."""
    allow: tuple[str, ...] = ()
    """Names or dotted paths that the name rules leave alone. Value rules still apply, and
    `deny` wins."""
    patterns: Patterns = ()
    """Further value rules: what one of these regular expressions finds is masked. Kept as name
    and regex pairs. At most 1,000 characters each; no repeated group that repeats or chooses."""
    mask: str = "mask"
    """"mask" writes `[REDACTED]`; "remove" takes a member, pair or header out; "hash" and
    "tokenise" write what tells equal values (64 and 130 bits of an HMAC-SHA-256); "last4" shows
    the last four characters of a value of at least 12."""
    key: str = field(default="", repr=False)
    """Of the HMAC. Empty: a new one in each process, so that marks of two processes differ."""
    pii: bool = False
    """Mask e-mail addresses, phone numbers with a country code, and IP addresses, too."""
    sensitive_paths: tuple[str, ...] = SENSITIVE_PATHS
    """Expressions searched in the path and the route; where one is found, no body is recorded.
    Empty: all bodies are."""
    callback: Callback | None = None
    """Called last, with what the rules have left, on the thread that served the request. What
    it returns passes the rules again, so it can only take more out. Where it raises, nothing
    of the text is left. Sync."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "deny", _names("deny", self.deny))
        object.__setattr__(self, "allow", _names("allow", self.allow))
        object.__setattr__(self, "patterns", _patterns(self.patterns))
        if self.mask not in MODES:
            raise PolicyError(
                f"redaction option mask is {self.mask!r}: use one of {', '.join(MODES)}"
            )
        object.__setattr__(self, "sensitive_paths", _paths(self.sensitive_paths))
        if not isinstance(self.key, str):
            raise PolicyError("redaction option key is no string: give the text of a secret")
        if not isinstance(self.pii, bool):
            raise PolicyError(f"redaction option pii is {self.pii!r}: use true or false")
        if self.callback is not None and not _is_sync(self.callback):
            raise PolicyError(
                "redaction option callback is no function that can be called and not awaited:"
                " give one that takes the text and its place, and returns the text"
            )

    def compiled(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Compile the patterns, in their order, and give each with its name."""
        return tuple((name, compiled(regex)) for name, regex in _pairs(self.patterns))

    def marker(self) -> Marker:
        """Make what writes the marks."""
        return Marker(self.mask, self.key.encode() or _PROCESS_KEY)


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
        if remedy := _remedy(name.strip()):
            raise PolicyError(f"redaction option {option} holds {name!r}, {remedy}")
    return tuple(name.strip() for name in given)


def _remedy(name: str) -> str:
    """Say why nothing can have this name, and what to write; "" where something can."""
    if "/" in name:
        steps = ".".join(filter(None, re.split(r"[#/.]+", name)))
        return (
            f"which no name can be: write {steps or 'users.email'!r}, with dots between the steps"
        )
    if _NO_PATH.search(name):
        return (
            "which no name can be: write a bare name, or a dotted path such as users.*.email,"
            " where * stands for a whole step"
        )
    if name.isascii() and "*" not in name and not any(map(str.isalnum, name)):
        # Names are compared by their words.
        return "which has no letter and no digit: write a name as bodies have it, such as 'iban'"
    return ""


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


def _paths(given: object) -> tuple[str, ...]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise PolicyError(
            f"redaction option sensitive_paths is a {type(given).__name__}:"
            ' give a list of regular expressions, such as ["^/internal/"]'
        )
    regex = None
    try:
        for regex in given:
            compiled(regex)
    except (re.error, TypeError, OverflowError, RecursionError, ValueError) as error:
        raise PolicyError(
            f"redaction option sensitive_paths: {regex!r} cannot be used ({error}): correct it"
        ) from error
    return tuple(given)


def _is_sync(callback: object) -> bool:
    call = getattr(callback, "__call__", None)  # noqa: B004  the method that is called
    return callable(callback) and not (iscoroutinefunction(callback) or iscoroutinefunction(call))


def _check(name: object, regex: object) -> None:
    where = f"redaction option patterns: {name!r}"
    if not isinstance(name, str) or not isinstance(regex, str):
        raise PolicyError(f"{where} is a {type(regex).__name__}: names and expressions are strings")
    if len(regex) > _LONGEST_PATTERN:
        raise PolicyError(f"{where} has {len(regex)} characters: use at most {_LONGEST_PATTERN:,}")
    try:
        expression = compiled(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"{where} does not compile ({error}): correct it") from error
    except ValueError as error:
        raise PolicyError(
            f"{where} repeats a group that itself repeats or chooses, which can take exponential"
            ' time: write the inner part as a character class ("[ab]+"), without a quantifier,'
            " or install the extra `fast` (google-re2), which takes linear time"
        ) from error
    if expression.search("") is not None:
        raise PolicyError(f"{where} matches the empty text: make it match at least one character")
