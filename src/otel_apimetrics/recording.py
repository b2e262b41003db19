"""The one mutable object of a request: what was seen so far, until it becomes an `Exchange`."""

import secrets
from collections.abc import Callable
from functools import partial
from time import monotonic, perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any
from uuid import UUID

from otel_apimetrics import _guard, collection, open_requests, spans
from otel_apimetrics.conclusion import Conclusion
from otel_apimetrics.content import BodyBuffer
from otel_apimetrics.exceptions import describe, type_name
from otel_apimetrics.exchange import (
    Company,
    Consumer,
    ExceptionInfo,
    Headers,
    Request,
    ValidationError,
    WebSocket,
    evolve,
)
from otel_apimetrics.identity import clean_id
from otel_apimetrics.pipeline import Pipeline
from otel_apimetrics.server_span import ServerSpan

if TYPE_CHECKING:
    from otel_apimetrics.asking import Asked


class Recording:
    """What is seen of one request while it is served.

    A request can finish only once, whoever calls and from whichever thread. All else is
    written by the thread or task that serves the request at that moment.
    """

    __slots__ = (
        "_asked", "_is_in_flight", "_is_over", "_left", "_settled", "blocked_by", "company",
        "consumer", "content_length", "error", "exception", "framework", "id", "labels",
        "metadata", "moved", "pipeline", "replaced", "request", "request_body", "request_ended",
        "response_body", "response_ended", "response_headers", "route", "running", "server_span",
        "session", "size_told", "skipped", "source", "started", "started_ns", "status",
        "validation_errors", "websocket",
    )  # fmt: skip

    def __init__(  # noqa: PLR0915  one line a slot
        self, pipeline: Pipeline, request: Request, framework: str, source: Any
    ) -> None:
        self.id = secrets.token_hex(16)
        self.pipeline = pipeline
        self.request = request
        self.framework = framework
        self.source = source
        """The environ or scope that the innermost known framework was called with."""
        # So a thread that has to wait between the two ends its span late, not early.
        self.started = perf_counter_ns()
        self.started_ns = time_ns()
        self.moved = monotonic()
        self.running = 0
        """How many calls into the app are running now."""
        self.replaced = False
        """Another recording tells what became of this request: see `give_way`."""
        self.request_body = BodyBuffer(pipeline.kept_request_bytes)
        self.response_body = BodyBuffer(pipeline.kept_bytes)
        self.content_length: int | None = None
        """What the request declared: its size where the app read less."""
        self.size_told: int | None = None
        """What the response declared, where its bytes do not pass through us (sendfile)."""
        self.request_ended = False
        """The app has read the whole request body, or there is none."""
        self.response_ended = False
        """The app has said the whole response body."""
        self.status: int | None = None
        self.response_headers: Headers = ()
        self.route: str | None = None
        self.consumer: Consumer | None = None
        self.company: Company | None = None
        self.session: str | None = None
        self.labels: dict[str, str] | None = None
        self.metadata: dict[str, Any] | None = None
        self.skipped = False
        self.blocked_by: str | None = None
        self.error: str | None = None
        self.exception: ExceptionInfo | None = None
        self.validation_errors: tuple[ValidationError, ...] = ()
        self.websocket: WebSocket | None = None
        self.server_span = ServerSpan(pipeline)
        self._settled = False
        self._is_over = False
        self._asked: Asked | None = None
        """The record waits for async hooks."""
        self._left: bool | None = None
        """The app was left meanwhile; True: so was what is outside of it."""
        self._is_in_flight = pipeline.metrics.counts_active
        open_requests.add(self)
        if self._is_in_flight:
            self._count_active(1)

    def begin_span(self, *, instrumented_inside: bool) -> None:
        """Decide whose the SERVER span is, once, before the app runs; and start or adopt it.

        Args:
            instrumented_inside: another instrumentation was found inside the app.
        """
        owner = spans.decide(instrumented_inside=instrumented_inside)
        self.server_span.begin(owner, self.request, self.started_ns)

    def enter(self) -> None:
        """Make this recording, and its span, current.

        Pair with `leave`, inside a `try`: a signal handler may raise anywhere.
        """
        open_requests.current.set(self)
        self.running += 1
        self.server_span.attach()

    def leave(self, before: open_requests.Outside) -> None:
        """Make current again what was `outside` before `enter`, in the same thread or task.

        The values, not tokens: contrib's WSGI middleware attaches in one call and detaches in a
        later one, and a token of ours would bring that back.
        """
        request, context = before
        self.running -= 1
        open_requests.current.set(request)
        self.server_span.set_aside(context)

    def leave_if_here(self, before: open_requests.Outside) -> None:
        """Do what `leave` does if this thread or task is still in this request.

        A coroutine that is thrown away may be so from anywhere.
        """
        if open_requests.current.get() is self:
            self.leave(before)

    def touch(self) -> None:
        """Note that a byte moved."""
        self.moved = monotonic()

    def note_exception(self, error: BaseException) -> None:
        """Note an exception that left the app's handler. The first one counts."""
        if self.exception is None and not self._settled:
            self.exception = describe(error)

    def note_failure(
        self, error: BaseException, on_response: Callable[["Recording"], None] | None = None
    ) -> None:
        """Note an exception that left the app: the server answers 500 where nothing was said.

        A cancellation or an exit is no exception of the app's. Never raises: the app's own
        exception is on its way.

        Args:
            error: what left the app.
            on_response: notes what the framework knows, where no response has started.
        """
        try:
            if self.status is None and on_response is not None:
                on_response(self)
            if self.error is not None:
                return
            if isinstance(error, Exception):
                self.note_exception(error)
                self.status = 500 if self.status is None else self.status
            else:
                self.error = type_name(error)
        except Exception as ours:
            _guard.swallow("recording.failure", ours)

    def note_consumer(self, found: Any) -> None:
        """Note a consumer that a framework's own place holds: a `Consumer`, or an id.

        What `set_consumer` said stays. Other objects are somebody else's: a state may well
        hold the consumer of a message queue.
        """
        if self._settled or self.consumer is not None:
            return
        if isinstance(found, Consumer):
            cleaned = clean_id(str(found.id))
            self.consumer = None if cleaned is None else evolve(found, id=cleaned)
        elif isinstance(found, (str, int, UUID)) and (cleaned := clean_id(str(found))) is not None:
            self.consumer = Consumer(id=cleaned)

    @property
    def settled(self) -> bool:
        """True once the record is made; nothing changes it any more."""
        return self._settled

    def end(self, *, outside: bool = False) -> None:
        """Finish, and end a span that nobody will end any more. Never raises.

        Contrib's WSGI middleware does not where the server closes before the first item.

        Args:
            outside: a span from outside the app will not be ended any more either.
        """
        if self.replaced or (self._is_over and not outside):
            return
        if collection.is_running() and not self._settled:
            open_requests.postpone(partial(self.end, outside=outside))
            return
        self.finish()
        self._leave_span(outside=outside)
        self._is_over = self._asked is None  # what is closed or thrown away later is told here

    async def end_async(self, *, wait: bool = True) -> None:
        """Do what `end` does, with hooks that may be `async`.

        Args:
            wait: for their answers, where the event loop may end before they come.
        """
        if collection.is_running():
            self.end()
            return
        self.finish_aside()
        self._leave_span()
        if wait and self._asked is not None:
            await self._asked.wait()

    def finish(self) -> None:
        """Make the record, once. Later calls do nothing. Never raises."""
        # Most later calls, of `close` and of garbage collection, are told here.
        if not self._settled and open_requests.take(self):
            Conclusion(self).make()

    def finish_aside(self) -> None:
        """Do what `finish` does; where hooks are `async`, beside what the app still does."""
        if not self.pipeline.has_async_hooks:
            self.finish()
            return
        if self._settled or not open_requests.take(self):
            return
        conclusion = Conclusion(self)
        try:
            from otel_apimetrics.asking import Asked

            conclusion.see()
            self._asked = Asked(conclusion, self._answered)
        except Exception as error:
            _guard.swallow("recording.ask", error)
            conclusion.ask_no_more()
            conclusion.make()

    def give_way(self) -> bool:
        """Make no record, because the client gets another answer. False: it is made already."""
        if not open_requests.take(self):
            return False
        self._settled = self.replaced = True
        self.response_body.clear()
        self.source = None
        self.count_out()
        return True

    def abandon(self) -> None:
        """Make the record of a request that nobody will end any more, and end its span."""
        if self.error is None and not self.response_ended:
            self.error = "abandoned"
        self.end(outside=True)

    def settle(self) -> int:
        """Let nothing change the record any more, and give its duration in nanoseconds."""
        self._settled = True
        self.server_span.settle()
        return perf_counter_ns() - self.started

    def close(self, duration: int) -> None:
        """Let go what only the record needed, and let the span end. Once the record is made."""
        try:
            # The environ holds the tee of its input, and that holds this recording.
            self.source = None
            if self.pipeline.kept_request_bytes:
                self.request_body.clear()
                self.response_body.clear()
        finally:
            self.server_span.release(self.started_ns + duration)

    def count_out(self) -> None:
        """Count the request out of flight, once and where that is counted. Never raises."""
        if self._is_in_flight:
            self._count_active(-1)
            self._is_in_flight = False

    def _answered(self) -> None:
        self._asked = None
        if self._left is not None:
            self.server_span.close(outside=self._left)

    def _leave_span(self, *, outside: bool = False) -> None:
        if self._asked is None:
            self.server_span.close(outside=outside)
        else:
            self._left = outside  # the record, which is still to come, goes on the span

    def _count_active(self, change: int) -> None:
        try:
            self.pipeline.metrics.active(change, self.request.method)
        except Exception as error:
            _guard.swallow("recording.active", error)
