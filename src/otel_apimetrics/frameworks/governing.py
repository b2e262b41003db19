"""Asks what may answer in the app's place, and makes messages of what it says."""

from collections.abc import Callable
from typing import Final, NamedTuple

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Consumer, Exchange, Headers, evolve
from otel_apimetrics.frameworks.response_hooks import is_line
from otel_apimetrics.recording import Recording
from otel_apimetrics.snapshot import BODILESS, snapshot
from otel_apimetrics.spans import Owner
from otel_apimetrics.typing import Governor, Replacement

_FRAMING: Final = frozenset(
    {
        "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "te", "trailer", "trailers", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Of one connection or one body (RFC 9110, section 7.6.1): no rule can know them."""
_OF_THE_BODY: Final = frozenset({"content-type", "content-encoding", "content-range"})
"""What says how to read the app's body, which stays."""
_FINAL: Final = range(200, 600)


class Answer(NamedTuple):
    """A whole response, framed."""

    status: int
    headers: Headers
    body: bytes
    """Empty where the method or the status has none."""


class Governed:
    """One request under the governors of its pipeline. Never raises.

    Args:
        recording: of the request.
        on_response: notes what only the framework knows.
    """

    __slots__ = ("_found", "_is_identified", "_on_response", "_recording")

    def __init__(
        self, recording: Recording, on_response: Callable[[Recording], None] | None
    ) -> None:
        self._recording = recording
        self._on_response = on_response
        self._is_identified = False
        self._found: Consumer | None = None

    def before(self) -> Answer | None:
        """Give the answer to a request that the app is not to be called for."""
        recording = self._recording
        try:
            for governor in recording.pipeline.governors:
                if governor.is_active:
                    exchange = self._known(self._begun())
                    said = governor.before(exchange, identified=self._is_identified)
                    if said is not None:
                        return self._replaced_before(said)
        except Exception as error:
            _guard.swallow("frameworks.governor", error)
        return None

    def starting(self) -> Answer | Headers:
        """Give what goes in the place of the response that starts, or lines to add to it."""
        added: Headers = ()
        try:
            if self._on_response is not None:
                self._on_response(self._recording)
            for governor in self._recording.pipeline.governors:
                if governor.is_active:
                    said = governor.starting(self._known(self._seen(governor)))
                    if isinstance(said, Replacement):
                        return self._replaced(said)
                    added += _lines(said, _FRAMING | _OF_THE_BODY)
        except Exception as error:
            _guard.swallow("frameworks.governor", error)
        return added

    def _begun(self) -> Exchange:
        recording = self._recording
        return Exchange(
            id=recording.id,
            request=recording.request,
            started_ns=recording.started_ns,
            framework=recording.framework,
        )

    def _seen(self, governor: Governor) -> Exchange:
        recording = self._recording
        if governor.reads_body:
            return evolve(snapshot(recording, 0), response=None)
        return evolve(self._begun(), consumer=recording.consumer, company=recording.company)

    def _known(self, exchange: Exchange) -> Exchange:
        """Say who called: what the app has told counts, and then `identify`, asked once."""
        pipeline = self._recording.pipeline
        if exchange.consumer is None and pipeline.early_identity is not None:
            if not self._is_identified:
                self._is_identified = True
                asked = pipeline.early_identity.ask(exchange)
                self._found = None if asked is None else asked.consumer
            exchange = evolve(exchange, consumer=self._found)
        return pipeline.masking.redact_identity(exchange)

    def _replaced(self, said: Replacement) -> Answer:
        """Frame an answer, and note who gave it.

        Raises:
            ValueError: it is none.
        """
        if said.status not in _FINAL:
            raise ValueError("no final status")
        lines = _lines(said.headers, _FRAMING)
        if said.status not in BODILESS:
            lines = (*lines, ("content-length", str(len(said.body))))
        bodiless = said.status in BODILESS or self._recording.request.method == "HEAD"
        self._recording.blocked_by = said.blocked_by
        return Answer(said.status, lines, b"" if bodiless else said.body)

    def _replaced_before(self, said: Replacement) -> Answer:
        """Frame an answer, and make the span that somebody inside the app would have made."""
        answer, recording = self._replaced(said), self._recording
        try:
            if recording.server_span.owner in {Owner.INSIDE, Owner.UNDECIDED}:
                recording.begin_span(instrumented_inside=False)
        except Exception as error:
            _guard.swallow("frameworks.governor", error)
        return answer


def _lines(said: Headers, left_out: frozenset[str]) -> Headers:
    """Leave out what is not the rule's to say.

    Raises:
        ValueError: a line is no header's (RFC 9110, section 5).
    """
    lines = tuple((name, value) for name, value in said if name not in left_out)
    if not all(is_line(name, value) for name, value in lines):
        raise ValueError("no header")
    return lines
