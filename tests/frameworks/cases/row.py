"""What a row of the table of HTTP cases is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from hashlib import sha256
from typing import Any, Literal


class Word(Enum):
    """An expectation that is no value."""

    ANY = auto()
    """Whatever it is."""
    SEEN = auto()
    """What the client saw."""
    ABSENT = auto()
    """There is no such attribute."""


ANY, SEEN, ABSENT = Word.ANY, Word.SEEN, Word.ABSENT

WSGI = frozenset({"wsgi", "flask", "django-wsgi"})
ASGI = frozenset({"asgi", "starlette", "fastapi", "litestar", "django-asgi"})
FRAMEWORKS = (*sorted(WSGI), *sorted(ASGI))


class Leaves(Enum):
    """When the client leaves."""

    NEVER = auto()
    IN_REQUEST = auto()
    """Once it has sent what it sends of its body, which is not all."""
    IN_RESPONSE = auto()
    """Once it has seen the first bytes of the response's body."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, as bytes for a server and as parts for a call in-process."""

    method: str = "GET"
    target: str = "/text"
    headers: tuple[tuple[str, str | bytes], ...] = ()
    body: bytes = b""
    chunks: tuple[bytes, ...] | None = None
    """The body in a chunked transfer coding, in the place of `body`."""
    length: str | None = None
    """Content-Length, where it is not the body's; "" sends none."""
    host: str | None = "api.example"
    """`None` sends none."""
    version: str = "1.1"

    @property
    def payload(self) -> bytes:
        """The body without its transfer coding."""
        return self.body if self.chunks is None else b"".join(self.chunks)

    @property
    def lines(self) -> tuple[tuple[str, bytes], ...]:
        """All header lines that tell something to the app, in order."""
        lines: list[tuple[str, str | bytes]] = []
        if self.host is not None:
            lines.append(("Host", self.host))
        lines += self.headers
        if self.chunks is not None:
            lines.append(("Transfer-Encoding", "chunked"))
        length = str(len(self.body)) if self.length is None and self.body else self.length
        if length:
            lines.append(("Content-Length", length))
        return tuple(
            (name, value.encode("latin-1") if isinstance(value, str) else value)
            for name, value in lines
        )

    def head(self, *more: tuple[str, bytes]) -> bytes:
        """The request line and the header lines, as they go over the wire."""
        first = f"{self.method} {self.target} HTTP/{self.version}".encode("latin-1")
        lines = [name.encode("latin-1") + b": " + value for name, value in (*self.lines, *more)]
        return b"\r\n".join((first, *lines, b"", b""))

    @property
    def wire_body(self) -> bytes:
        """The body as it goes over the wire."""
        if self.chunks is None:
            return self.body
        coded = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in self.chunks]
        return b"".join((*coded, b"0\r\n\r\n"))


@dataclass(frozen=True, kw_only=True)
class Record:
    """What must be recorded of one request."""

    status: Any = SEEN
    error: str | None | Word = None
    request_size: int | None | Word = SEEN
    """`SEEN`: the size of the payload that was sent."""
    response_size: int | None | Word = SEEN
    request_body: str | None | Word = None
    """The text captured of it; `None`: no text."""
    response_body: str | None | Word = SEEN
    truncated: Literal["", "request", "response", "both"] | Word = ""
    """"request", "response" or "both": marked as cut."""
    route: str | None | Word = ANY
    """`None`: no route. A name of `apps.TEMPLATES` stands for the framework's own template."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Other attributes of the span: a value, `ANY` or `ABSENT`."""
    secret: str = ""
    """Must not occur anywhere in the record."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What happens on one connection: the same with us and without, and so many records."""

    case: int
    """Number in the table of cases."""
    name: str
    """A sentence without blanks, unique."""
    requests: tuple[Request, ...] = (Request(),)
    """Sent one after the other without waiting; the last one asks for the connection's end."""
    records: tuple[Record | None, ...] = (Record(),)
    """One a request; `None`: no record."""
    but: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Fields of the records that differ, by framework ("flask"), interface ("any-wsgi",
    "any-asgi"), server ("uvicorn"), or one of the former on one of the latter
    ("any-asgi/in-process")."""
    waits: bool = False
    """The body is sent once the server has said 100 (Continue)."""
    leaves: Leaves = Leaves.NEVER
    frames: tuple[bytes, ...] = ()
    """WebSocket: what the client sends once the connection is switched. It answers a close, and
    closes by `client.LEAVE`."""
    frameworks: frozenset[str] = WSGI | ASGI
    on: frozenset[Literal["server", "in-process"]] = frozenset({"server", "in-process"})
    refusable: bool = False
    """A server may refuse it before it calls the app: then there is no record. The app's own
    answers carry `X-App`."""
    environ: Mapping[str, Any] = field(default_factory=dict)
    """In-process: what the WSGI server says besides."""
    scope: Mapping[str, Any] = field(default_factory=dict)
    """In-process: what the ASGI server says besides."""
    incoming: tuple[dict[str, Any], ...] | None = None
    """WebSocket: the messages of an ASGI server, in-process."""

    @property
    def is_web_socket(self) -> bool:
        """Tell whether the client asks for a WebSocket."""
        return self.incoming is not None

    @property
    def trace_id(self) -> str:
        """The trace that every request of this row asks for: it finds the records."""
        return sha256(self.name.encode()).hexdigest()[:32]

    def traceparent(self, index: int) -> tuple[str, bytes]:
        """The header that names the row and the position of a request in it."""
        return "traceparent", f"00-{self.trace_id}-{index + 1:016x}-01".encode()

    def records_on(self, framework: str, server: str = "in-process") -> tuple[Record | None, ...]:
        """What must be recorded for a framework on a server."""
        interface = "any-wsgi" if framework in WSGI else "any-asgi"
        changes: dict[str, Any] = {}
        scopes = (interface, framework)
        for key in (*scopes, server, *(f"{scope}/{server}" for scope in scopes)):
            changes.update(self.but.get(key, {}))
        return tuple(record and replace(record, **changes) for record in self.records)
