"""What the conditions of governance rules may look at in a request."""

import json
from typing import Any

from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.addresses import url_as_sent

_HEADER = "request.headers."
_BODY = "request.body."
_UNREAD: Any = object()


class Asked:
    """The values of one request, by the paths of Moesif's conditions.

    Args:
        exchange: unredacted.
    """

    __slots__ = ("_exchange", "_members")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._members: Any = _UNREAD

    def at(self, path: str) -> str | None:
        """Give a value, `None` where there is none, or none that is text."""
        request = self._exchange.request
        if path == "request.verb":
            return request.method
        if path == "request.route":
            # The whole URL, as in Moesif's Python SDKs.
            return url_as_sent(request)
        if path == "request.ip":
            return request.client_address
        if path.startswith(_HEADER):
            return self._header(path[len(_HEADER) :].lower())
        if path.startswith(_BODY):
            return self._member(path[len(_BODY) :])
        return None

    def _header(self, wanted: str) -> str | None:
        lines = [value for name, value in self._exchange.request.headers if name == wanted]
        return ", ".join(lines) if lines else None

    def _member(self, name: str) -> str | None:
        """Give a member of a JSON object that is text: others never match in Moesif's SDKs."""
        if self._members is _UNREAD:
            self._members = self._read()
        value = self._members.get(name) if isinstance(self._members, dict) else None
        return value if isinstance(value, str) else None

    def _read(self) -> Any:
        body = self._exchange.request.body
        if not body.content or body.truncated:
            return None
        try:
            return json.loads(body.content)
        except (ValueError, RecursionError):
            return None
