"""Markup in text that is none: `<password>x</password>`, `<add key="password" value="x"/>`.

It may be in a log line, a JSON string or a message, whole, escaped (`&lt;`) or cut.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from otel_apimetrics.redaction.names import LABEL, LABEL_OR_SENSITIVE, Names, is_value
from otel_apimetrics.redaction.phrases.place import Place

_TAG: Final = re.compile(
    r"<(\\?/?)([^\W\d][\w:.-]{0,127})([^<>]{0,2048})(>?)"
    r"|&lt;(\\?/?)([^\W\d][\w:.-]{0,127})((?:[^<>&]|&(?!lt;|gt;)){0,2048})(&gt;|)"
)
_ATTRIBUTE: Final = re.compile(
    r"""([\w:.-]{1,64})(?:\s|\\[nrt]){0,8}=(?:\s|\\[nrt]){0,8}"""
    r"""(?:\\{0,7}"([^"<>]{0,1024}?)\\{0,7}"|\\{0,7}'([^'<>]{0,1024}?)\\{0,7}'"""
    r"""|&quot;([^<>&]{0,1024})&quot;|([^\s"'<>\\]{1,256}))"""
)
_OPENED: Final = re.compile(r"(?:<|&lt;)([^\W\d][\w:.-]{0,127})")
_LABELLING: Final = re.compile(
    r"(?:=(?:\s|\\[nrt]){0,8}(?:\\{0,7}[\"']|&quot;)?|>|&gt;)(?:\s|\\[nrt]){0,8}([\w./$-]{2,128})"
)
_UNCLOSED: Final = re.compile(r"[^\W_]{3}[^<\r\n]*")
_HTML_LABELS: Final = frozenset(["autocomplete", "id", "itemprop", "type"])
_SECRETS: Final = frozenset({"ciphervalue", "signaturevalue", "x509certificate"})
_CLOSING: Final = ("</", "<\\/", "&lt;/")


class _Tag(NamedTuple):
    start: int
    end: int
    closes: bool
    name: str
    local: str
    inside: tuple[int, int]
    """Where its attributes are."""
    empty: bool


def suspects(text: str, names: Names) -> bool:
    """Tell whether there may be markup that holds a secret; too often rather than not."""
    if "<" not in text and ("&" not in text or "&lt;" not in text):
        return False
    words = {*_OPENED.findall(text), *_LABELLING.findall(text)}
    return any(_is_sensitive(names, word.rpartition(":")[2]) for word in words)


def find(text: str, names: Names) -> Iterator[Place]:
    """Find the values of elements and attributes."""
    if ("<" in text or "&lt;" in text) and suspects(text, names):
        tags = [_tag(found) for found in _TAG.finditer(text)]
        yield from _attributes(text, tags, names)
        yield from _elements(text, tags, names)


def _is_sensitive(names: Names, word: str) -> bool:
    return names.labels(word) or word.lower() in _SECRETS


def _tag(found: re.Match[str]) -> _Tag:
    at = 0 if found[2] else 4
    name = found[at + 2]
    inside = found.span(at + 3)
    empty = found[at + 3].endswith("/")
    return _Tag(
        found.start(),
        found.end(),
        found[at + 1].endswith("/"),
        name,
        name.rpartition(":")[2],
        inside,
        empty,
    )


def _attributes(text: str, tags: Sequence[_Tag], names: Names) -> Iterator[Place]:
    for tag in tags:
        if tag.closes or tag.inside[0] == tag.inside[1] or "=" not in text[slice(*tag.inside)]:
            continue
        found = list(_ATTRIBUTE.finditer(text, *tag.inside))
        label = next((name for one in found if (name := _label(one, names))), "")
        sensitive = names.is_sensitive(tag.local) and tag.local.lower() != "key"
        for one in found if label or sensitive else ():
            group = one.lastindex or 1
            if group > 1 and is_value(one[1].rpartition(":")[2]):
                yield Place(*one.span(group), label or tag.local)


def _label(attribute: re.Match[str], names: Names) -> str:
    local = attribute[1].rpartition(":")[2]
    value = attribute[attribute.lastindex or 1]
    if local.lower() == "type":
        return "password" if value.lower() == "password" else ""
    labels = names[local] in (LABEL, LABEL_OR_SENSITIVE) or local.lower() in _HTML_LABELS
    return value if labels and names.labels(value) else ""


def _elements(text: str, tags: Sequence[_Tag], names: Names) -> Iterator[Place]:
    closed = {tag.name: place for place, tag in enumerate(tags) if tag.closes}
    is_markup = any(sign in text for sign in _CLOSING)
    label = _labelled(text, tags, names)
    done = 0
    for place, tag in enumerate(tags):
        if tag.closes or tag.empty or tag.start < done:
            continue
        name = _name_of(text, tag, names) or (label if is_value(tag.local) else "")
        if not name:
            continue
        if closed.get(tag.name, -1) > place:
            end = _closing(text, tags, place, names if names.homonyms[name] else None)
        else:
            end = _unclosed_end(text, tag, is_markup=is_markup) if name == tag.local else -1
        if end > tag.end:
            done = end
            content = text[tag.end : done]
            begin = tag.end + len(content) - len(content.lstrip())
            yield from _content(text, begin, begin + len(content.strip()), name)


def _unclosed_end(text: str, tag: _Tag, *, is_markup: bool) -> int:
    if is_markup:
        return len(text)
    # Behind a placeholder (`<password>`, `<token>s`) there is no word.
    unclosed = _UNCLOSED.match(text, tag.end)
    return unclosed.end() if unclosed else -1


def _content(text: str, start: int, end: int, name: str) -> Iterator[Place]:
    if text.startswith("<![CDATA[", start) and text.endswith("]]>", 0, end):
        start, end = start + len("<![CDATA["), end - len("]]>")
    yield Place(start, end, name)


def _name_of(text: str, tag: _Tag, names: Names) -> str:
    """Give what names the content of an element: its own name, or an attribute."""
    if names.is_sensitive(tag.local) or tag.local.lower() in _SECRETS:
        return tag.local
    if tag.inside[0] == tag.inside[1]:
        return ""
    # What an `id` names is an element of a page, which has more than a value.
    found = [
        one for one in _ATTRIBUTE.finditer(text, *tag.inside) if one[1].lower() not in _HTML_LABELS
    ]
    return next((name for one in found if (name := _label(one, names))), "")


def _labelled(text: str, tags: Sequence[_Tag], names: Names) -> str:
    """Give the sensitive name that an element called `name` or `key` holds, or ""."""
    for tag, behind in pairwise(tags):
        if not tag.closes and behind.closes and names[tag.local] in (LABEL, LABEL_OR_SENSITIVE):
            content = text[tag.end : behind.start].strip()
            if names.labels(content):
                return content
    return ""


def _closing(text: str, tags: Sequence[_Tag], place: int, names: Names | None) -> int:
    """Give the end of an element's content; -1 where it has a harmless sense.

    Args:
        text: the text.
        tags: its tags.
        place: of the element's tag among them.
        names: where its name has two senses, so that its value has to tell.
    """
    tag = tags[place]
    if names is not None:
        end = tags[place + 1].start
        return -1 if names.spares(tag.local, text[tag.end : end]) else end
    depth = 0
    for index in range(place, len(tags)):
        other = tags[index]
        if other.name == tag.name and not (other.empty and not other.closes):
            depth += -1 if other.closes else 1
            if depth == 0:
                return other.start
    return len(text)
