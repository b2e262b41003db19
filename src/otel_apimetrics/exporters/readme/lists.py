"""ReadMe's deny and allow lists, on top of what was redacted already."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from otel_apimetrics.content import media_type
from otel_apimetrics.exporters.har.entry import CUT, Entry, Pairs, is_json
from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction.marks import MARKED

_REPLACED: Final = re.compile(r"\[REDACTED \d+\]", re.ASCII)
_OBJECT: Final = ("{", "[")


class Lists:
    """Replaces the values of names that are denied, or not allowed where there is an allow list.

    Names are compared without regard to case: those of headers, query parameters, form fields and
    members of JSON. A denied name is looked for at any depth. An allowed one stands at the top of
    a JSON document, and all below it is allowed. With both lists a value has to pass both.

    Args:
        deny: names, or dotted paths in JSON ("users.*.email").
        allow: names; none: all are allowed.

    Raises:
        PolicyError: a name cannot be looked for.
    """

    def __init__(self, deny: Iterable[str], allow: Iterable[str]) -> None:
        names = tuple(deny)
        self._deny: Final = frozenset(name.lower() for name in names)
        self._allow: Final = frozenset(name.lower() for name in allow)
        self._loose: Final = Redactor(RedactionPolicy(deny=names)) if names else None
        """For what is no whole JSON: names are found there too."""
        paths = tuple(name for name in names if "." in name)
        self._paths: Final = Redactor(RedactionPolicy(deny=paths)) if paths else None
        self.active: Final = bool(self._deny or self._allow)

    def apply(self, entry: Entry) -> None:
        """Replace in an entry of a HAR, in place."""
        if not self.active:
            return
        request, response = entry["request"], entry["response"]
        self._query(request)
        for message, header in ((request, "cookie"), (response, "set-cookie")):
            self._cookies(message, header)
            self._pairs(message["headers"])
        if self._hides("location"):
            response["redirectURL"] = ""
        post_data = request.get("postData")
        if post_data is not None:
            self._pairs(post_data.get("params", []))
            self._body(post_data)
        self._body(response["content"])

    def _hides(self, name: str) -> bool:
        name = name.lower()
        return name in self._deny or bool(self._allow and name not in self._allow)

    def _pairs(self, pairs: Pairs) -> bool:
        """Replace the values of pairs; tell whether there was one."""
        changed = False
        for pair in pairs:
            if self._hides(pair["name"]) and "value" in pair:
                pair["value"] = replacement(pair["value"])
                changed = True
        return changed

    def _query(self, request: Entry) -> None:
        if self._pairs(request["queryString"]):
            pairs = [(pair["name"], pair["value"]) for pair in request["queryString"]]
            request["url"] = f"{request['url'].partition('?')[0]}?{urlencode(pairs)}"

    def _cookies(self, message: Entry, header: str) -> None:
        """Take out the cookies of a message, from their header too, if one of them is denied."""
        denied = any(cookie["name"].lower() in self._deny for cookie in message["cookies"])
        if denied or self._hides(header):
            message["cookies"] = []
            for pair in message["headers"]:
                if pair["name"] == header:
                    pair["value"] = replacement(pair["value"])

    def _body(self, body: Entry) -> None:
        text = body.get("text")
        if not text:
            return
        kind = media_type(body["mimeType"])
        if is_json(kind) or text.lstrip().startswith(_OBJECT):
            body["text"] = self._json(text, kind, cut=body.get("comment") == CUT)
        elif self._loose is not None:
            body["text"] = self._loose.body(text, kind, content_type=body["mimeType"]) or ""

    def _json(self, text: str, kind: str, *, cut: bool) -> str:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return self._no_json(text, kind, cut=cut)
        items = document if isinstance(document, list) else [document]
        changed = [self._members(item, top=True) for item in items]
        # Written as ReadMe's own SDK writes it: json.dumps as it is.
        text = json.dumps(document) if any(changed) else text
        if self._paths is None:
            return text
        return self._paths.body(text, kind or "application/json") or ""

    def _no_json(self, text: str, kind: str, *, cut: bool) -> str:
        if self._allow or self._loose is None:
            return replacement(text)  # whose value is what cannot be told
        return self._loose.body(text, kind or "application/json", truncated=cut) or ""

    def _members(self, value: Any, *, top: bool) -> bool:
        """Replace in a JSON value, in place; tell whether there was anything to replace."""
        if isinstance(value, list):
            found = [self._members(item, top=False) for item in value]
            return any(found)
        if not isinstance(value, dict):
            return False
        changed = False
        for name, inner in value.items():
            if self._hides(name) if top else name.lower() in self._deny:
                value[name] = replacement(inner)
                changed = True
            elif self._members(inner, top=False):
                changed = True
        return changed


def replacement(value: Any) -> str:
    """Give what ReadMe shows in the place of a value; what is such a mark already stays."""
    if not isinstance(value, str):
        return MARK
    is_mark = MARKED.fullmatch(value) or _REPLACED.fullmatch(value)
    return value if is_mark else f"[REDACTED {len(value)}]"
