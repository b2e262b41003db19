"""The statements of the Collector's `transform` processor (OTTL): which texts it looks at.

Each context has a `cache` of its own for every span, event and log record. The texts are copied
into it, the looks work on all of it, and what they leave is copied back: so each expression,
which may be long, is written once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from otel_apimetrics import semconv
from otel_apimetrics.collector_rules.dialect import (
    NoEqualError,
    escaped,
    printable,
    translated,
)
from otel_apimetrics.collector_rules.looks import (
    MARK,
    Look,
    assignments,
    members,
    parameters,
    state,
    userinfo,
)
from otel_apimetrics.collector_rules.names import NameExpressions
from otel_apimetrics.redaction.form import _OAUTH, _SIGNATURES
from otel_apimetrics.redaction.policy import RedactionPolicy

_BODIES: Final = (semconv.REQUEST_BODY, semconv.RESPONSE_BODY)
_URLS: Final = (semconv.URL_QUERY, "url.full", "http.url", "http.target")
_PATHS: Final = (semconv.URL_PATH, "url.original")
_TEXTS: Final = ("db.query.text", "db.statement", "error.message", "graphql.document")
_HEADERS: Final = tuple(
    f"{side}{name}"
    for side in (semconv.REQUEST_HEADER, semconv.RESPONSE_HEADER)
    for name in ("referer", "location", "content-location")
)
"""Arrays, whose first value is a URL."""
_EXCEPTION: Final = ("exception.message", "exception.stacktrace")
_METADATA: Final = "apimetrics.metadata"
_BODY: Final = "body"
_FIELDS: Final = frozenset({_BODY, "name", "status.message"})
"""What is no attribute."""

_IN_A_FORM: Final = r"^[^\s{\[<\"]*="
_ESCAPES: Final = rf"%[0-9A-Fa-f]{{2}}|\\/|\\u00[23]|{_IN_A_FORM}[^\s]*\+"
_DECODED: Final = (
    ("%20", " "),
    ("%2[Bb]", "+"),
    ("%2[Ff]", "/"),
    ("%3[Aa]", ":"),
    ("%3[Dd]", "="),
    ("%3[Ff]", "?"),
    ("%26", "&"),
    ("%0[Dd]", ""),
    ("%0[Aa]|%5[Cc]n", "\n"),
    ("%2[89Cc]", ","),
    ("%3[BbCcEe]", ";"),
    ("%27", "'"),
    (r"\\/", "/"),
    (r"\\u002[Bb]", "+"),
    (r"\\u002[Ff]", "/"),
    (r"\\u003[Dd]", "="),
    (r"\\u0026", "&"),
)
"""Escapes of URLs and of JSON that stand inside of secrets, and what a rule reads in their
place. A bracket is read as a comma, which the rule for PEM knows."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one context, each list in its order."""

    context: str
    """In OTTL's words: span, spanevent or log."""
    before: Sequence[str]
    looks: tuple[str, ...]
    """Which looks work on the cache: "escapes", "members", "parameters", "assignments",
    "values"."""
    after: Sequence[str]


def quoted(text: str) -> str:
    """Write a string of OTTL, whose escapes are Go's."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in text) + '"'


def looks(names: NameExpressions, values: str) -> dict[str, list[str]]:
    """Give the statements that work on the cache, by what they look for.

    Args:
        names: the name rules.
        values: the value rules.
    """
    member = _seen(names, rf"{_REST_OF_NAME}{_END}", rf"[0-9]*[^a-z0-9\"\\]*{_END}")
    assigned = _seen(names, rf"[^\s\"\\=:]*{_SIGN}", rf"(?:%[0-9a-f]{{2}}|[^a-z\s\"\\=:])*{_SIGN}")
    form = [
        f'replace_pattern({_cached(key)}, "\\\\+", " ")'
        f" where IsMatch({_cached(key)}, {quoted(_IN_A_FORM)})"
        for key in (*_URLS, *_BODIES)
    ]
    return {
        "members": [*member, *_where_found(_replaced(members(names)))],
        "parameters": _parameters(names),
        "assignments": [*assigned, *_where_found(_replaced(assignments(names)))],
        "escapes": [*form, *_replaced([Look(*pair) for pair in _DECODED])],
        "values": _replaced([Look(values, "****")]),
    }


_END: Final = r"\\*\"[\s\\nrt]*[:,]"
_REST_OF_NAME: Final = r"(?:[^\"\\]|\\+u[0-9a-f]{4})*"
_SIGN: Final = r"['`]?\s{0,8}[=:]"


def _parameters(names: NameExpressions) -> list[str]:
    """Give the statements for names that are sensitive in URLs and forms alone."""
    known = sorted(name for name in _SIGNATURES if not names.allows(name))
    oauth = quoted(rf"[?&\"](?i:{'|'.join(sorted(_OAUTH))})=")
    (states,) = _replaced([state()])
    return [
        *_replaced([*parameters(known), userinfo()]),
        f"{states} where IsMatch(String(cache), {oauth})",
    ]


def dropped_bodies(policy: RedactionPolicy) -> tuple[list[str], list[str]]:
    """Give the statements that drop bodies on sensitive paths, and remarks on those left out."""
    statements: list[str] = []
    remarks: list[str] = []
    for path in policy.sensitive_paths:
        try:
            expression = quoted(translated(path))
        except NoEqualError as error:
            remarks.append(f"LEFT OUT: the sensitive path {printable(path)}: {error}.")
            continue
        found = " or ".join(
            f"IsMatch({_attribute(key)}, {expression})"
            for key in (semconv.URL_PATH, semconv.ROUTE, "http.target")
        )
        statements += [f'delete_key(attributes, "{key}") where {found}' for key in _BODIES]
    return statements, remarks


def contexts(values: str) -> list[Statements]:
    """Give what is looked at, context by context.

    Args:
        values: the value rules.
    """
    status = "status.message"
    return [
        _context("span", ("members",), (*_BODIES, _METADATA, status)),
        _context(
            "span", ("parameters", "assignments"), (*_URLS, *_PATHS), forms=_BODIES, arrays=_HEADERS
        ),
        _context("span", ("assignments",), (*_BODIES, *_TEXTS, status)),
        _decoded("span", (*_BODIES, *_URLS, *_PATHS), values),
        _context("span", ("values",), ("name", status)),
        _context("spanevent", ("assignments",), _EXCEPTION),
        _context("spanevent", ("values",), ("name",)),
        _context("log", ("members",), (*_BODIES, *_EXCEPTION, _BODY)),
        _context("log", ("assignments",), (*_BODIES, *_URLS, *_EXCEPTION, _BODY)),
        _decoded("log", (*_BODIES, *_URLS, _BODY), values),
    ]


def _context(
    context: str,
    looks: tuple[str, ...],
    keys: Sequence[str],
    *,
    forms: Sequence[str] = (),
    arrays: Sequence[str] = (),
) -> Statements:
    before = [f"set({_cached(key)}, {_place(key)})" for key in keys]
    for key in forms:
        is_form = f"IsMatch({_place(key)}, {quoted(_IN_A_FORM)})"
        before.append(f"set({_cached(key)}, {_place(key)}) where {is_form}")
    # A `set` from what is not there does nothing.
    after = [f"set({_place(key)}, {_cached(key)})" for key in (*keys, *forms)]
    for key in arrays:
        array, place = _attribute(key), f"{_attribute(key)}[0]"
        before.append(f"set({_cached(key)}, {place}) where IsList({array}) and Len({array}) > 0")
        after.append(f"set({place}, {_cached(key)}) where {_cached(key)} != nil")
    return Statements(context, before, looks, after)


def _decoded(context: str, keys: Sequence[str], values: str) -> Statements:
    """Write a text without its escapes where that shows something; else it stays as it is."""
    before = [
        f"set({_cached(key)}, {_place(key)}) where IsMatch({_place(key)}, {quoted(_ESCAPES)})"
        for key in keys
    ]
    shows = quoted(rf"{escaped(MARK)}|{values}")
    after = [
        f"set({_place(key)}, {_cached(key)}) where IsMatch({_cached(key)}, {shows})" for key in keys
    ]
    return Statements(context, before, ("escapes", "assignments"), after)


_SEEN: Final = 'cache["seen"]'
_FOUND: Final = 'cache["found"] != nil'


def _seen(names: NameExpressions, after: str, end: str) -> list[str]:
    """Note whether a name may be sensitive: a search for literals, a fraction of a look."""
    found = " or ".join(
        f"IsMatch({_SEEN}, {quoted(stem + (end if whole else after))})"
        for stem, whole in (*names.stems(), ("u00[4-7]", False))
    )
    return [
        f'set({_SEEN}, ConvertCase(String(cache), "lower"))',
        f'set(cache["found"], true) where {found}',
        'delete_key(cache, "seen")',
    ]


def _where_found(statements: Sequence[str]) -> list[str]:
    return [f"{statement} where {_FOUND}" for statement in statements]


def _replaced(looks: Sequence[Look]) -> list[str]:
    return [
        f'replace_all_patterns(cache, "value", {quoted(look.pattern)}, {quoted(look.template)})'
        for look in looks
    ]


def _place(key: str) -> str:
    return key if key in _FIELDS else _attribute(key)


def _attribute(key: str) -> str:
    return f'attributes["{key}"]'


def _cached(key: str) -> str:
    return f'cache["{key}"]'
