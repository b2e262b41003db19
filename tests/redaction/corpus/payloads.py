"""Ordinary payloads: what real APIs say, without a secret in it."""

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from otel_apimetrics.exchange import Headers
from otel_apimetrics.redaction import Redactor

_ROOT: Final = Path(__file__).parent
_AROUND: Final = 24
"""Characters before a change that tell where it is."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One part of one message."""

    domain: str
    title: str
    media_type: str
    """Of a body; "" for the other parts."""
    part: str
    """`body`, `query`, `path` or `headers`."""
    texts: tuple[str, ...]
    """The same content as it may be written; of headers, their values."""
    headers: Headers = ()

    def changes(self, redactor: Redactor) -> list[str]:
        """Give the surroundings of each change that redaction makes."""
        if self.part == "headers":
            return [
                f"{name}: {value}"
                for (name, value), clean in zip(
                    self.headers, redactor.headers(self.headers), strict=True
                )
                if clean != (name, value)
            ]
        for text in self.texts:
            after = self._redact(redactor, text)
            if after != text:
                return _differences(text, after or "")
        return []

    def _redact(self, redactor: Redactor, text: str) -> str | None:
        if self.part == "query":
            return redactor.query(text)
        return redactor.path(text) if self.part == "path" else redactor.body(text, self.media_type)


def load(folder: str) -> tuple[Payload, ...]:
    """Read all files of a folder."""
    return tuple(
        _payload(path.stem, row)
        for path in sorted((_ROOT / folder).glob("*.json"))
        for row in json.loads(path.read_text(encoding="utf-8"))
    )


def _payload(domain: str, row: dict[str, Any]) -> Payload:
    part = next(part for part in ("body", "query", "path", "headers") if part in row)
    content = row[part]
    headers: Headers = ()
    if part == "headers":
        headers = tuple((name, value) for name, value in content)
        texts = tuple(value for _, value in headers)
    elif isinstance(content, str):
        texts = (content,)
    else:
        # As most APIs write it, and for people.
        texts = (
            json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            json.dumps(content, indent=2),
        )
    return Payload(domain, row["title"], row.get("media_type", ""), part, texts, headers)


def _differences(before: str, after: str) -> list[str]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        before[max(0, start - _AROUND) : end]
        for change, start, end, _, _ in matcher.get_opcodes()
        if change != "equal"
    ]
