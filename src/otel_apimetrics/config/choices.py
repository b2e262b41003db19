"""Coercion of the options that name parts of this system: what is captured, and for whom."""

import re
from collections.abc import Callable
from importlib.metadata import entry_points

from otel_apimetrics.config.given import Given
from otel_apimetrics.config.values import alternatives, items, names, word_of
from otel_apimetrics.identity import ClientAddress, SpecError

HEADER_WORDS = ("safe", "all", "off")

EXPORTER_GROUP = "opentelemetry_traces_exporter"
"""The entry point group of span exporters (OpenTelemetry SDK)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
"""A field name in lower case (RFC 9110, 5.6.2)."""

_MEDIA_RANGE = re.compile(r"[a-z0-9!#$&^_.+*-]+/[a-z0-9!#$&^_.+*-]+")
"""A media type in lower case (RFC 6838, 4.2), `*` for any run of characters."""


def headers(given: Given) -> str | frozenset[str]:
    """Read `capture_headers`: one word, or names of headers.

    Raises:
        ConfigError: a name is no field name, or a word stands among names.
    """
    if (word := word_of(given)) in HEADER_WORDS:
        return word
    chosen = frozenset(name.lower() for name in names(given))
    if len(chosen) == 1 and chosen <= frozenset(HEADER_WORDS):
        return next(iter(chosen))
    wrong = sorted(name for name in chosen if name in HEADER_WORDS or not _TOKEN.fullmatch(name))
    if wrong or not chosen:
        given = given.item(wrong[0]) if wrong else given
        raise given.refuse(f"use {alternatives(HEADER_WORDS)} alone, or a list of header names")
    return chosen


def content_types(given: Given) -> tuple[str, ...]:
    """Read media types and wildcards such as "text/*" and "application/*+json".

    Raises:
        ConfigError: a member has not the form type/subtype.
    """
    found = tuple(name.lower() for name in names(given))
    for name in found:
        if not _MEDIA_RANGE.fullmatch(name):
            raise given.item(name).refuse('use media types without parameters, such as "text/*"')
    return found


def trusted_proxies(given: Given) -> tuple[str, ...]:
    """Read addresses, networks and the words that `ClientAddress` knows.

    Raises:
        ConfigError: a member is none of these.
    """
    found = names(given)
    try:
        ClientAddress(trusted_proxies=found, mode="truncated")
    except SpecError as error:
        raise given.relay(error) from error
    return found


def exporters(given: Given) -> tuple[object, ...]:
    """Read exporters: names of installed entry points, and objects with `export`.

    "none" alone means no exporter, as in `OTEL_TRACES_EXPORTER`.

    Raises:
        ConfigError: a name is not installed, or an object cannot export.
    """
    value = given.value
    chosen = items(given) if isinstance(value, (str, list, tuple, set, frozenset)) else (value,)
    if len(chosen) == 1 and isinstance(chosen[0], str) and chosen[0].strip() == "none":
        return ()
    found: dict[object, object] = {}
    for item in chosen:
        exporter = _exporter(given.item(item))
        # By identity: an exporter need not be hashable, nor define equality with care.
        found[exporter if isinstance(exporter, str) else id(exporter)] = exporter
    return tuple(found.values())


def _exporter(given: Given) -> object:
    exporter = given.value
    if isinstance(exporter, str):
        installed = sorted({entry.name for entry in entry_points(group=EXPORTER_GROUP)})
        if exporter.strip() not in installed:
            raise given.refuse(
                f"use an installed exporter ({', '.join(installed) or 'there is none'}),"
                f" or install the package whose {EXPORTER_GROUP} entry point has that name"
            )
        return exporter.strip()
    if isinstance(exporter, type) or not callable(getattr(exporter, "export", None)):
        raise given.refuse("use the name of an exporter, or an object with an export method")
    return exporter


def provider(method: str) -> Callable[[Given], object]:
    """Make the coercion of a provider: any object with this method."""

    def read(given: Given) -> object:
        if not callable(getattr(given.value, method, None)):
            raise given.refuse(f"use a provider of the OpenTelemetry API, with {method}")
        return given.value

    return read
