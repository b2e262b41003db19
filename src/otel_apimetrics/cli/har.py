"""HTTP Archives (HAR 1.2), redacted part by part.

http://www.softwareishard.com/blog/har-12-spec/. Each part passes what production redacts such a
part with, and every other member passes as metadata does: nothing of the archive stays raw.
"""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from otel_apimetrics.cli.errors import UsageError
from otel_apimetrics.cli.har_pairs import Pairs
from otel_apimetrics.cli.header_lines import mask_header
from otel_apimetrics.cli.parts import Part
from otel_apimetrics.content import body_text, media_type
from otel_apimetrics.redaction import Redactor, compiled
from otel_apimetrics.redaction.explain import Ask, Explainer, withheld

_FORM: Final = "application/x-www-form-urlencoded"
_UNRECORDED: Final = "Not recorded by otel-apimetrics."


def mask_har(explainer: Explainer, text: str, *, truncated: bool) -> tuple[str, tuple[Part, ...]]:
    """Redact an archive.

    Args:
        explainer: of the policy.
        text: the archive.
        truncated: bodies go on where they were not captured.

    Returns:
        The redacted archive, indented, and its parts in the order of the archive.

    Raises:
        UsageError: the text is no archive.
    """
    remedy = 'Save it again as "HAR with content", or say what it is with --type.'
    try:
        document = json.loads(text.removeprefix("\ufeff"))
        log = document["log"]
        entries = log["entries"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise UsageError(f"this is no HTTP Archive, it has no log.entries. {remedy}") from error
    if not isinstance(entries, list):
        raise UsageError(f"this is no HTTP Archive, log.entries is no list. {remedy}")
    archive = _Archive(explainer, truncated=truncated)
    masked = {
        name: archive.rest(name, value, name) for name, value in document.items() if name != "log"
    }
    masked["log"] = {
        name: [archive.entry(entry, f"log.entries[{at}]") for at, entry in enumerate(value)]
        if name == "entries"
        else archive.rest(f"log.{name}", value, name)
        for name, value in log.items()
    }
    return json.dumps(masked, indent=2, ensure_ascii=False) + "\n", tuple(archive.parts)


class _Archive:
    """Redacts one entry after the other, and keeps the explanations."""

    def __init__(self, explainer: Explainer, *, truncated: bool) -> None:
        self.parts: Final[list[Part]] = []
        self._explainer: Final = explainer
        self._truncated: Final = truncated
        self._paths: Final = [compiled(path) for path in explainer.policy.sensitive_paths]
        self._sensitive = False
        self._query: tuple[str, ...] = ()
        """The pairs of the URL, as they were sent."""
        self._members: Final[dict[str, Callable[[str, Any], Any]]] = {
            "url": self._url,
            "redirectURL": self._url,
            "headers": self._headers,
            "cookies": self._cookies,
            "queryString": self._query_string,
            "postData": self._post_data,
            "content": self._content,
        }

    def entry(self, entry: Any, path: str) -> Any:
        if not isinstance(entry, dict):
            return self.rest(path, entry, "entry")
        request = entry.get("request")
        url = str(request.get("url", "")) if isinstance(request, dict) else ""
        self._query = tuple(url.partition("#")[0].partition("?")[2].split("&"))
        self._sensitive = self._is_sensitive(url)
        return {
            name: self._message(f"{path}.{name}", value)
            if name in {"request", "response"}
            else self.rest(f"{path}.{name}", value, name)
            for name, value in entry.items()
        }

    def rest(self, path: str, value: Any, name: str) -> Any:
        """Redact what has no room of its own."""
        before = _written(value)
        is_json = not isinstance(value, str)
        after = self._ask(
            path, before, lambda redactor: _written(redactor.value(name, value)), is_json=is_json
        )
        return self._explainer.redactor.value(name, value) if is_json else after

    def _message(self, path: str, message: Any) -> Any:
        if not isinstance(message, dict):
            return self.rest(path, message, "message")
        return {
            name: self._member(f"{path}.{name}", name, value) for name, value in message.items()
        }

    def _member(self, path: str, name: str, value: Any) -> Any:
        mask = self._members.get(name)
        expected = str if name in {"url", "redirectURL"} else dict if name in _BODIES else list
        if mask is None or not isinstance(value, expected):
            return self.rest(path, value, name)
        return mask(path, value)

    def _ask(
        self, path: str, before: str, ask: Ask, *, is_json: bool = False, title: str = ""
    ) -> str | None:
        explanation = self._explainer.explain(before, ask)
        self.parts.append(Part(path, explanation, is_json=is_json, title=title))
        return explanation.after

    def _url(self, path: str, url: str) -> str | None:
        return self._ask(path, url, lambda redactor: redactor.url(url))

    def _headers(self, path: str, headers: list[Any]) -> list[Any]:
        return self._items(path, headers, self._header)

    def _header(self, path: str, name: str, value: str) -> str | None:
        return self._ask(
            f"{path}.value", value, lambda redactor: mask_header(redactor, name, value), title=name
        )

    def _cookies(self, path: str, cookies: list[Any]) -> list[Any]:
        return self._items(path, cookies, self._cookie)

    def _cookie(self, path: str, name: str, value: str) -> str | None:
        pair = f"{name}={value}"
        header = "set-cookie" if ".response." in path else "cookie"
        masked = self._ask(path, pair, lambda redactor: mask_header(redactor, header, pair))
        return None if masked is None else masked.removeprefix(f"{name}=")

    def _items(
        self, path: str, items: list[Any], mask: Callable[[str, str, str], str | None]
    ) -> list[Any]:
        masked: list[Any] = []
        for at, item in enumerate(items):
            here = f"{path}[{at}]"
            if not _is_pair(item):
                masked.append(self.rest(here, item, "item"))
                continue
            value = mask(here, item["name"], item["value"])
            if value is not None:
                rest = self._others(here, item, {"name", "value"})
                masked.append({"name": item["name"], "value": value, **rest})
        return masked

    def _others(self, path: str, members: dict[str, Any], but: set[str]) -> dict[str, Any]:
        return {
            name: self.rest(f"{path}.{name}", value, name)
            for name, value in members.items()
            if name not in but
        }

    def _query_string(self, path: str, items: Any) -> Any:
        return self._pairs(path, items, lambda redactor, text: redactor.query(text))

    def _form(self, path: str, items: Any) -> Any:
        return self._pairs(path, items, lambda redactor, text: redactor.body(text, _FORM))

    def _pairs(self, path: str, items: Any, mask: Callable[[Redactor, str], str | None]) -> Any:
        if not (isinstance(items, list) and all(map(_is_pair, items))):
            return self.rest(path, items, "items")
        pairs = Pairs([(item["name"], item["value"]) for item in items], self._query)
        explanation = self._explainer.explain(
            pairs.text, lambda redactor: mask(redactor, pairs.text)
        )
        self.parts.append(Part(path, explanation))
        kept = pairs.kept(explanation.masked, explanation.after or "")
        return [
            {"name": name, "value": value, **self._others(f"{path}[{at}]", items[at], _PAIR)}
            for at, name, value in kept
        ]

    def _post_data(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        kind = str(data.get("mimeType", ""))
        masked = self._others(path, data, {"text", "params"})
        params = data.get("params")
        if params and not self._sensitive:
            masked["params"] = self._form(f"{path}.params", params)
        text = data.get("text")
        if text is not None:
            masked.update(self._body(f"{path}.text", str(text), kind))
        return masked

    def _content(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        kind = str(content.get("mimeType", ""))
        masked = self._others(path, content, {"text", "encoding"})
        text = content.get("text")
        if text is None:
            return masked
        here = f"{path}.text"
        if content.get("encoding") == "base64":
            decoded = _decoded(str(text), kind)
            if decoded is None:
                self.parts.append(Part(here, withheld(str(text), "media type")))
                return {**masked, "comment": _UNRECORDED}
            text = decoded
        return {**masked, **self._body(here, str(text), kind)}

    def _body(self, path: str, text: str, content_type: str) -> dict[str, str]:
        if not text:
            return {"text": ""}
        # Production reads a body without a type only where it looks like JSON.
        kind = media_type(content_type)
        kind = kind or ("application/json" if text.lstrip()[:1] in ("{", "[") else "")
        is_json = kind == "application/json" or kind.endswith("+json")
        if self._sensitive:
            explanation = withheld(text, "sensitive path")
        else:
            cut = self._truncated
            explanation = self._explainer.explain(
                text,
                lambda redactor: redactor.body(
                    text, kind, truncated=cut, content_type=content_type
                ),
                truncated=cut,
            )
        self.parts.append(Part(path, explanation, is_json=is_json))
        after = explanation.after
        return {"text": "", "comment": _UNRECORDED} if after is None else {"text": after}

    def _is_sensitive(self, url: str) -> bool:
        try:
            path = unquote(urlsplit(url).path)
        except ValueError:
            path = unquote(url)
        return any(pattern.search(path) for pattern in self._paths)


_BODIES: Final = frozenset({"postData", "content"})
_PAIR: Final = {"name", "value"}


def _is_pair(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("name"), str)
        and isinstance(item.get("value"), str)
    )


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _decoded(text: str, content_type: str) -> str | None:
    try:
        data = b64decode(text)
    except ValueError:
        return None
    body = body_text(data, content_type, "", complete=True, limit=max(len(data), 1))
    return None if body is None else body.content
