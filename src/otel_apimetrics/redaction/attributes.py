"""Attributes that any instrumentation may have set on a span: the second lock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.redaction.clean import Clean
from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.headers import HeaderFields
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.urls import Urls

_REQUEST_HEADER: Final = "http.request.header."
_RESPONSE_HEADER: Final = "http.response.header."
_HEADER: Final = (_REQUEST_HEADER, _RESPONSE_HEADER)
_TEXTS: Final = (
    "db.query.summary",
    "db.query.text",
    "db.statement",
    "db.statement.parameters",
    "elasticsearch.params",
    "error.message",
    "exception.message",
    "exception.stacktrace",
    "graphql.document",
    "http.host",
    "http.server_name",
    "http.status_text",
    "http.user_agent",
    "log.record.original",
    "net.host.name",
    "net.peer.name",
    "otel.status_description",
    "process.command_line",
    "server.address",
    "url.fragment",
    "user_agent.original",
)
"""What a client may have written, or an app about it."""
_URLS: Final = ("url.full", "url.original", "db.url", "elasticsearch.url", "messaging.url")
_READ: Final = frozenset(
    [
        "url.query",
        "url.path",
        "http.url",
        "http.uri",
        "http.path",
        "http.target",
        *_URLS,
        *_TEXTS,
    ]
)
ADDRESSES: Final = frozenset(
    {
        "client.address",
        "http.client_ip",
        "net.peer.ip",
        "net.sock.peer.addr",
        "network.peer.address",
    }
)
"""Where conventions old and new put the address of the client or of the peer."""
_MOST_KEYS: Final = 4_096
_EXEMPT: Final = frozenset({"messaging.kafka.message.key"})
"""The semantic conventions' own names whose last word is a sensitive one and is not meant."""

_BUILT_IN: Final = Names()


def is_guarded_key(key: str) -> bool:
    """Tell whether the built-in rules may change a span attribute of this key; cheap.

    A policy may deny further names: ask `Redactor.is_guarded_key` where there is one.
    """
    return _is_guarded(key, _BUILT_IN)


def _is_guarded(key: str, names: Names) -> bool:
    return (
        key in _READ
        or key.startswith(_HEADER)
        or (names.is_sensitive(key.rpartition(".")[2]) and key not in _EXEMPT)
    )


@dataclass(frozen=True, slots=True)
class Addresses:
    """How client addresses are told.

    Args:
        one: gives an address as it may be told, "" where it may not.
        header: does so for each address in a header, by the header's name.
        headers: names of the headers that hold addresses, in lower case.
    """

    one: Callable[[str], str]
    header: Callable[[str, str], str]
    headers: frozenset[str]


class GuardedKeys(dict[str, bool]):
    """Verdicts on attribute keys, remembered: most spans have the same keys.

    Args:
        judge: tells whether an attribute of this key has to be looked at.
    """

    def __init__(self, judge: Callable[[str], bool]) -> None:
        super().__init__()
        self._judge: Final = judge

    def __missing__(self, key: str) -> bool:
        """Judge a key. One that cannot be judged is guarded."""
        try:
            verdict = key in ADDRESSES or self._judge(key)
        except Exception as error:
            _guard.swallow("redaction.is_guarded_key", error)
            return True
        if len(self) >= _MOST_KEYS:
            self.clear()
        self[key] = verdict
        return verdict


class SpanAttributes:
    """Span attributes, masked by what their keys say.

    Args:
        names: the verdicts on names.
        text: the rules for messages and statements.
        form: the rules for queries.
        urls: the rules for URLs and paths.
        headers: the rules for captured headers.
        value: masks the value of a sensitive name.
        addresses: how client addresses are told; `None` as they are.
    """

    def __init__(
        self,
        names: Names,
        text: FreeText,
        form: Form,
        urls: Urls,
        headers: HeaderFields,
        value: Callable[[str, object], object],
        addresses: Addresses | None,
    ) -> None:
        self._addresses: Final = addresses
        self._names: Final = names
        self._headers: Final = headers
        self._value: Final = value
        message = Clean(text.scrub)
        self._by_key: Final[dict[str, Callable[[str], str]]] = {
            "url.query": Clean(form.scrub),
            "url.path": Clean(urls.path),
            **dict.fromkeys(_URLS, Clean(urls.url)),
            # Contrib's ASGI middleware writes these decoded: a slash is then no border.
            "http.url": Clean(lambda url: urls.url(_whole(text, url))),
            "http.uri": Clean(lambda url: urls.url(_whole(text, url))),
            "http.path": Clean(lambda path: urls.path(_whole(text, path))),
            "http.target": Clean(lambda target: urls.target(_whole(text, target))),
            **dict.fromkeys(_TEXTS, message),
        }

    def is_guarded(self, key: str) -> bool:
        """Tell whether `one` may change an attribute of this key; cheap."""
        return _is_guarded(key, self._names)

    def one(self, key: str, value: object) -> object:
        """Mask one attribute; the identical object where nothing changed."""
        if key in ADDRESSES:
            return value if self._addresses is None else _each(value, self._addresses.one)
        if not self.is_guarded(key):
            return value
        scrub = self._by_key.get(key)
        if scrub is not None:
            return _each(value, scrub)
        if key.startswith(_HEADER):
            # contrib writes headers with underscores in its older spelling.
            name = key[len(_HEADER[key.startswith(_RESPONSE_HEADER)]) :].replace("_", "-")
            if self._addresses is not None and name in self._addresses.headers:
                header = self._addresses.header
                return _each(value, lambda text: header(name, text))
            return _each(value, lambda text: self._headers.one(name, text))
        return self._value(key.rpartition(".")[2], value)


def _whole(text: FreeText, url: str) -> str:
    if text.scrub(url) == url:
        return url
    path, question, query = text.scrub_values(url).partition("?")
    pairs = "&".join(map(text.scrub, query.split("&")))
    return f"{text.scrub(path)}{question}{pairs}"


def _each(value: object, scrub: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, bytes):
        return scrub(value.decode("utf-8", "replace"))
    if isinstance(value, Sequence):
        masked = [_each(item, scrub) for item in value]
        same = all(clean is item for clean, item in zip(masked, value, strict=True))
        return value if same else tuple(masked)
    return value
