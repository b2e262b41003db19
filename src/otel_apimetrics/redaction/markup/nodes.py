"""The strings of markup: a node of text, the value of an attribute, a comment, CDATA."""

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Final, NamedTuple

from otel_apimetrics.redaction.marks import MARK
from otel_apimetrics.redaction.markup.lexer import MARKUP
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.urls import Urls

_LEVELS: Final = 2
"""Markup in a string of markup, and once more in a string of that."""
_SUSPICIOUS: Final = re.compile(r"[<=:(\[]| -|--")
_SHORTEST_SECRET: Final = 16
"""Characters of the shortest name in which the value rules look."""


class Scope(NamedTuple):
    """What holds for a whole document."""

    html: bool
    level: int
    """How many strings of markup are around it."""
    quiet: bool
    """No value rule finds anything in it."""


class Unquoted(NamedTuple):
    """The rules for attributes without quotes, whose marks have no blank."""

    text: FreeText
    urls: Urls


class Nodes:
    """Masks strings.

    Args:
        text: the rules for strings.
        urls: the rules for URLs.
        nested: masks a string that is markup itself, given its scope and whether it was cut.
    """

    def __init__(
        self, text: FreeText, urls: Urls, nested: Callable[[str, Scope, bool], str]
    ) -> None:
        self._text: Final = text
        self._urls: Final = urls
        self._nested: Final = nested

    def mark(self, raw: str, name: str) -> str:
        """Give what stands for a secret, with character references where it needs them.

        Args:
            raw: as it is written; an element may hold elements.
            name: what named it.
        """
        mark = self._text.mark
        if mark.constant:
            return mark("", f"name:{name}")
        write = mark.nested if "<" in raw else mark
        return escape(write(unescape(raw.strip()), f"name:{name}"))

    def scope(self, text: str, *, html: bool, level: int) -> Scope:
        """Look at a whole document once, so that most of its strings need no look.

        Args:
            text: the document.
            html: it is HTML.
            level: how many strings of markup are around it.
        """
        quiet = not self._text.has_patterns and not self._text.suspects(text)
        return Scope(html, level, quiet)

    def encoded(self, raw: str, scope: Scope, *, cut: bool = False) -> str:
        """Mask a string in which character references stand for characters.

        Where something is masked, references are written anew (`&amp;`, `&lt;`, `&quot;`).
        Entities that the document declares are not resolved.

        Args:
            raw: as it is written.
            scope: of its document.
            cut: it goes on where it was not captured.
        """
        if "&" not in raw:
            return self.plain(raw, scope, cut=cut)
        decoded = unescape(raw)
        masked = self.plain(decoded, scope._replace(quiet=False), cut=cut)
        return raw if masked == decoded else escape(masked)

    def url(self, raw: str, scope: Scope) -> str:
        """Mask an attribute that is a URL: userinfo, path, query; a fragment is dropped.

        Args:
            raw: as it is written, with character references.
            scope: of its document.
        """
        decoded = unescape(raw)
        # A fragment alone is a place in this document.
        masked = raw if decoded[:1] == "#" else self._urls.url(decoded)
        if masked in (raw, decoded):
            return self.encoded(raw, scope)
        return escape(self.plain(masked, scope._replace(quiet=False)))

    def plain(self, text: str, scope: Scope, *, cut: bool = False) -> str:
        """Mask a string without references: CDATA, or what is decoded.

        Args:
            text: free text, JSON or markup.
            scope: of its document.
            cut: it goes on where it was not captured.
        """
        if scope.quiet and not cut and not _SUSPICIOUS.search(text):
            return text
        if "<" in text and MARKUP.search(text):
            # What looks like a tag may stand in the middle of a secret (an armour's comment).
            whole = text if scope.quiet else self._text.scrub_values(text)
            return MARK if scope.level >= _LEVELS else self._nested(whole, scope, cut)
        if text.lstrip()[:1] in ("{", "["):
            return self._text.broken_json(text, cut=cut)
        masked = self._text.named(text) if scope.quiet else self._text.scrub(text)
        # Behind a mark, as behind any border, a rule may find what it did not before.
        return self._text.scrub(self._text.end(masked)) if cut else masked

    def remark(self, text: str, scope: Scope, *, cut: bool = False) -> str:
        """Mask the inside of a comment or an instruction; one with markup in it is not shown.

        Args:
            text: without the delimiters.
            scope: of its document.
            cut: it goes on where it was not captured.
        """
        return MARK if MARKUP.search(text) else self.plain(text, scope, cut=cut)

    def script(self, text: str, *, cut: bool) -> str:
        """Mask the content of HTML's `script` or `style`."""
        masked = self._text.scrub(text)
        return self._text.scrub(self._text.end(masked)) if cut else masked

    def is_secret(self, name: str) -> bool:
        """Tell whether a value rule finds something in a name; names are short."""
        return len(name) >= _SHORTEST_SECRET and self._text.scrub_values(name) != name
