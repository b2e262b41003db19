"""What the vendor's SDK would hide of a request, on top of the redaction that has run before."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_plus

from otel_apimetrics import _guard, interruptions
from otel_apimetrics.content import media_type
from otel_apimetrics.exchange import Body, Exchange, Headers, first
from otel_apimetrics.exporters.apitally.tally import CUT
from otel_apimetrics.exporters.json_bytes import json_bytes

MaskBody: TypeAlias = Callable[[Exchange, str], str | None]
"""Gives what is sent of a body; `None`: only that there was one."""

MAX_BODY: Final = 50_000
"""Bytes of a body; of a longer one the vendor is told that it is too long."""

QUERY: Final = ("auth", "api[-_]?key", "secret", "token", "password", "pwd")
HEADERS: Final = ("auth", "api[-_]?key", "secret", "token", "cookie")
FIELDS: Final = (
    "password", "pwd", "token", "secret", "auth", "card[-_ ]?number", "ccv", "cvv", "cvc", "ssn",
)  # fmt: skip
"""What the vendor's SDK searches for in names, whatever the user adds."""

_TYPES: Final = (
    "application/json",
    "application/problem+json",
    "application/vnd.api+json",
    "application/ld+json",
    "application/x-ndjson",
    "text/markdown",
    "text/plain",
)
_LINKS: Final = frozenset({"location", "content-location"})
_LINES: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands where something was hidden."""

    value: str
    in_query: str
    body: str
    too_large: str


class Masks:
    """Hides by names. Safe between threads; a body that it cannot read is not sent.

    Args:
        marks: of the protocol.
        query: further expressions, searched for in names without regard to case.
        headers: the same.
        fields: the same, of JSON objects.
        request_body: the user's own.
        response_body: the user's own.
    """

    def __init__(
        self,
        marks: Marks,
        *,
        query: Iterable[str] = (),
        headers: Iterable[str] = (),
        fields: Iterable[str] = (),
        request_body: MaskBody | None = None,
        response_body: MaskBody | None = None,
    ) -> None:
        self._marks: Final = marks
        self._query: Final = either((*QUERY, *query))
        self._headers: Final = either((*HEADERS, *headers))
        own = tuple(fields)
        self._fields: Final = either((*FIELDS, *own))
        self._has_own_fields: Final = bool(own)
        self._bare: Final = Bare(marks.value)
        # Names repeat, request after request.
        self._hides_header: Final = lru_cache(1_024)(self._judge_header)
        self._hides_field: Final = lru_cache(1_024)(self._judge_field)
        self._hooks: Final = {True: request_body, False: response_body}

    def query(self, query: str) -> str:
        """Mask the values of a query; all else of it stays as it is."""
        return "&".join(map(self._parameter, query.split("&")))

    def headers(self, headers: Headers) -> Iterator[tuple[str, str]]:
        """Mask headers, and the queries of links in them."""
        for name, value in headers:
            if self._hides_header(name):
                yield name, self._marks.value
            elif name in _LINKS and "?" in value:
                before, _, query = value.partition("?")
                yield name, f"{before}?{self.query(query)}"
            else:
                yield name, value

    def body(self, exchange: Exchange, *, of_request: bool) -> str | None:
        """Give what is sent of a body; `None` where nothing is."""
        side = exchange.request if of_request else exchange.response
        if side is None or not side.body.content:
            return None
        kind = media_type(first(side.headers, "content-type"))
        if kind and not kind.startswith(_TYPES):
            return None
        content = side.body.content
        if not side.body.truncated and len(content.encode("utf-8", "replace")) > MAX_BODY:
            return self._marks.too_large
        hook = self._hooks[of_request]
        if hook is not None:
            answer = self._asked(hook, exchange, content)
            if answer is None:
                return self._marks.body
            content = answer
        return self._masked(content, side.body, kind)

    def _judge_header(self, name: str) -> bool:
        return bool(self._headers.search(name) or self._headers.search(name.replace("_", "-")))

    def _judge_field(self, name: str) -> bool:
        return bool(self._fields.search(name))

    def _parameter(self, parameter: str) -> str:
        name, equals, _ = parameter.partition("=")
        if equals and self._query.search(unquote_plus(name)):
            return f"{name}={self._marks.in_query}"
        return parameter

    def _asked(self, hook: MaskBody, exchange: Exchange, content: str) -> str | None:
        try:
            answer = hook(exchange, content)
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow("apitally.mask_body", error)
            return None
        return answer if isinstance(answer, str) else None

    def _masked(self, content: str, body: Body, kind: str) -> str:
        if body.truncated:
            # What is cut cannot be read: the user's own masks would let pass what they name.
            return self._marks.too_large if self._has_own_fields else content[:MAX_BODY] + CUT
        if not self._may_be_bare(content):
            return content
        if kind == _LINES:
            return "\n".join(map(self._document, content.split("\n")))
        return self._document(content)

    def _may_be_bare(self, content: str) -> bool:
        """Tell whether there may be a member to mask that the redaction has not masked alike."""
        # The user's expressions may be about the whole name; and escapes hide names.
        return self._has_own_fields or "\\" in content or self._bare.is_in(content)

    def _document(self, content: str) -> str:
        try:
            document = json.loads(content)
        except ValueError:
            return content  # no JSON: it has no fields
        except RecursionError:
            return self._marks.body
        return json_bytes(self._walk(document, 0)).decode()

    def _walk(self, value: Any, depth: int) -> Any:
        if depth > 64:  # noqa: PLR2004  nobody reads further
            return self._marks.value
        if isinstance(value, dict):
            return {
                name: self._marks.value
                if self._hides_field(name) and isinstance(item, (str, int, float))
                else self._walk(item, depth + 1)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._walk(item, depth + 1) for item in value]
        return value


_NAMES: Final = "|".join(FIELDS)
_NAMED: Final = re.compile(_NAMES)
"""Of folded text: what is searched for without regard to case is tried at each character."""


class Bare:
    """Finds members of those that are masked always, whose scalar value is not the mark.

    Args:
        mark: that the value has where it is masked.
    """

    def __init__(self, mark: str) -> None:
        behind = rf'[^"\\]*"\s*:\s*(?!"{re.escape(mark)}")["\d\-tf]'
        self._behind: Final = re.compile(behind)
        self._whole: Final = re.compile(rf"(?:{_NAMES}){behind}", re.IGNORECASE)

    def is_in(self, content: str) -> bool:
        """Tell whether there may be one in a text."""
        folded = content.casefold()
        if content.isascii():
            behind = self._behind
            return any(behind.match(content, name.end()) for name in _NAMED.finditer(folded))
        # To fold moves what comes behind: it tells only whether a name is there.
        return bool(_NAMED.search(folded) and self._whole.search(content))


def either(expressions: Iterable[str]) -> re.Pattern[str]:
    """Compile expressions into one that finds any of them, without regard to case."""
    return re.compile("|".join(f"(?:{each})" for each in expressions), re.IGNORECASE)
