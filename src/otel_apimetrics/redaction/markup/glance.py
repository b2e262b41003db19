"""The first look at markup: most documents hold nothing to mask, and it takes a few searches.

The whole text is looked at as if it were one string: each word behind a "<" may be an element,
and each word before "=" or ":" an attribute or a name that something is assigned to. Where all
of them are harmless, so is each reading of the text.
"""

import re
from html import unescape
from typing import Final

from otel_apimetrics.redaction.markup.elements import Kinds
from otel_apimetrics.redaction.markup.tags import HTML_LABELS, URLS
from otel_apimetrics.redaction.names import CONTENT, HARMLESS, LABEL, NAMED, VALUE, Names
from otel_apimetrics.redaction.text import FreeText

_ELEMENT: Final = re.compile(r"<([^\s/><!?]+)")
_DECLARATION: Final = re.compile(r"<!(?!--|\[CDATA\[)")
_BACKWARDS: Final = re.compile(r"[=:]\s*([\"'`\\]|[\w.$%\[\]-]+)?")
"""A sign and what stands before it, in reversed text: so the engine searches for the sign."""
_TAIL: Final = 2_048
_LEVELS: Final = 3
"""The text, markup that is escaped in it, and once more in that."""


def is_clean(
    text: str, names: Names, free: FreeText, kinds: Kinds, *, html: bool, cut: bool
) -> bool:
    """Tell whether there is nothing to mask in a document in which no value rule finds anything.

    Args:
        text: the document.
        names: the verdicts on the names of attributes.
        free: the value rules.
        kinds: the verdicts on the names of elements.
        html: the document is HTML.
        cut: it goes on where it was not captured.
    """
    if cut:
        tail = unescape(text[-_TAIL:])
        if free.end(tail) != tail:
            return False
    for _ in range(_LEVELS):
        if free.suspects_phrases(text) or not _is_harmless(text, names, kinds, html=html):
            return False
        decoded = unescape(text) if "&" in text else text
        if decoded == text:
            return True
        if free.suspects(decoded):
            return False
        text = decoded
    return False


def _is_harmless(text: str, names: Names, kinds: Kinds, *, html: bool) -> bool:
    if _DECLARATION.search(text):
        return False
    # Its bracket would be part of the first word inside.
    text = text.replace("<![CDATA[", " ")
    elements = {kinds[name].verdict for name in set(_ELEMENT.findall(text))}
    # A name and a value may be siblings.
    if not elements <= {HARMLESS, LABEL, VALUE, CONTENT}:
        return False
    if LABEL in elements and not NAMED.isdisjoint(elements):
        return False
    for reversed_word in set(_BACKWARDS.findall(text[::-1])):
        word = reversed_word[::-1]
        # A quote before a sign may close a name of JSON.
        if word and (word in "\"'`\\" or names[word] not in (HARMLESS, VALUE, CONTENT)):
            return False
        if URLS.fullmatch(word.lower()) or (html and word.lower() in HTML_LABELS):
            return False
    return True
