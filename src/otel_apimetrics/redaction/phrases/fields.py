"""Fields of multipart bodies in text: what a message quotes, or came under another type."""

import re
from collections.abc import Iterator
from typing import Final

from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.phrases.place import Place

_BREAK: Final = r"(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)"
_FIELD: Final = re.compile(
    r"form-data(?:;|\s){1,8}name=\\{0,7}[\"']?([^\"'\\\r\n;]{1,128})"
    r"(?=[\"'\\\r\n;])\\{0,7}[\"']?[^\r\n\\]{0,256}"
    rf"(?:{_BREAK}[A-Za-z-]{{1,40}}:[^\r\n\\]{{0,256}}){{0,4}}{_BREAK}{_BREAK}"
)
_END: Final = re.compile(rf"{_BREAK}--")


def suspects(text: str) -> bool:
    """Tell whether there may be a field; cheap."""
    return "form-data" in text


def find(text: str, names: Names) -> Iterator[Place]:
    """Find the values of fields of sensitive names."""
    if not suspects(text):
        return
    done = 0
    for found in _FIELD.finditer(text):
        if found.start() >= done and names.is_sensitive(found[1]):
            end = _END.search(text, found.end())
            done = end.start() if end else len(text)
            yield Place(found.end(), done, found[1])
