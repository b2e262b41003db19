"""Which requests carry which secrets: a few for each kind, each in many places at once."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.e2e.canaries import bodies, places
from tests.e2e.canaries.bodies import Shape
from tests.e2e.canaries.fill import Fill, Step, compact
from tests.e2e.canaries.places import Place
from tests.redaction.corpus import Kind, Payload

_RECIPES: Final[tuple[tuple[Shape | None, tuple[Place, ...]], ...]] = (
    (bodies.members, (places.path, places.query)),
    (bodies.nested, (places.request_headers, places.response_headers)),
    (bodies.in_strings, (places.cookies, places.set_cookies, places.challenge)),
    (bodies.lines, (places.referer, places.location, places.link)),
    (bodies.events, (places.calls,)),
    (bodies.form, (places.user_agent, places.identity)),
    (bodies.text, (places.baggage,)),
    (bodies.multipart, ()),
    (bodies.xml, ()),
    (bodies.graphql, ()),
    (bodies.graphql_document, ()),
    (bodies.zipped, ()),
    (bodies.cut, ()),
    (None, (places.exception,)),
    (None, (places.cut_exception,)),
    (None, (places.unmatched,)),
    (None, (places.long_identity,)),
    (None, (places.trace_state,)),
    (None, (places.host,)),
    (None, (places.validation,)),
)
"""What goes together in one request: a shape of its bodies, and places beside them."""

_SIDED: Final = (
    "JSON", "nested JSON", "JSON in a string", "pairs of name and value", "NDJSON", "events",
    "form", "text", "multipart", "XML", "GraphQL", "GraphQL document", "gzip", "cut",
)  # fmt: skip
CARRIERS: Final = (
    *(f"{side} {carrier}" for carrier in _SIDED for side in ("request", "response")),
    "path", "path without a route", "query", "request header", "response header", "cookie",
    "Set-Cookie", "WWW-Authenticate", "Referer", "Location", "Link", "user agent", "baggage",
    "tracestate", "Host",
    "consumer's header", "cut consumer's header", "consumer", "label", "metadata", "exception",
    "cause of an exception", "exception of a child span", "status description", "cut exception",
    "validation error", "validation message",
)  # fmt: skip
"""All places that a secret is carried in."""
OF_FASTAPI: Final = ("validation error", "validation message")
"""Those that only FastAPI has."""

_ECHOES: Final = 1_000_000
"""First trace id of the requests with ordinary bodies."""


def steps(kinds: Iterable[Kind], *, validates: bool) -> Iterator[Step]:
    """Plan the requests.

    Args:
        kinds: of secrets.
        validates: the app answers validation errors.
    """
    number = 0
    for turn, kind in enumerate(kinds):
        for recipe, (shape, beside) in enumerate(_RECIPES):
            if beside == (places.validation,) and not validates:
                continue
            number += 1
            step = _step(kind, shape, beside, number, turn + recipe)
            if step.canaries:
                yield step


def _step(
    kind: Kind, shape: Shape | None, beside: tuple[Place, ...], number: int, turn: int
) -> Step:
    step = Step(trace=f"{number:032x}", kind=kind.name)
    fill = Fill(kind, step, f"{kind.name} {number}", turn)
    for place in beside:
        place(fill)
    if shape is not None and (
        kind.places.names or kind.places.by_value or _has_fields(kind, shape)
    ):
        request, response = shape(fill, "request"), shape(fill, "response")
        step.body = request.data
        step.headers += _about(request)
        step.chunked = shape is bodies.cut
        step.answer.setdefault("headers", []).extend(_about(response))
        step.answer["body"] = b64encode(response.data).decode()
        step.answer["chunked"] = step.chunked
    return step


def _has_fields(kind: Kind, shape: Shape) -> bool:
    return shape is bodies.form and bool(kind.places.parameters)


def _about(content: bodies.Content) -> list[tuple[str, str]]:
    found = [("Content-Type", content.media_type)]
    return [*found, ("Content-Encoding", content.coding)] if content.coding else found


def echoes(payloads: Iterable[Payload]) -> list[Step]:
    """Plan requests with ordinary bodies, which the app gives back."""
    return [
        Step(
            trace=f"{number:032x}",
            kind=f"{payload.domain}: {payload.title}",
            path="/echo",
            headers=[("Content-Type", payload.media_type)],
            body=text.encode(),
        )
        for number, (payload, text) in enumerate(
            ((payload, text) for payload in payloads for text in payload.texts), _ECHOES
        )
    ]


def write_script(planned: list[Step], script: Path) -> None:
    """Write what the app is to answer, one line a request, and tell each request its line."""
    at = 0
    with script.open("wb") as file:
        for step in planned:
            line = compact(step.answer).encode() + b"\n"
            step.headers.append(("X-Step", str(at)))
            at += file.write(line)
