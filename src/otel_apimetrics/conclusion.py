"""The record of a request that is over, made in steps that an interruption does not undo."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otel_apimetrics import _guard, interruptions, semconv
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.judging import Question
from otel_apimetrics.snapshot import snapshot
from otel_apimetrics.spans import Owner

if TYPE_CHECKING:
    from otel_apimetrics.recording import Recording


class Conclusion:
    """Makes one record: the exchange, what the hooks say of it, and all that is told of it.

    An exception from outside (see `interruptions`) passes, once the steps that it has not
    reached are done. No further hook is asked then. Where it has left a lock that those may
    wait for, only the span is ended.

    Args:
        recording: taken out of the open requests by the caller.
    """

    __slots__ = (
        "_done",
        "_exchange",
        "_is_judged",
        "_is_seen",
        "_questions",
        "_recording",
        "duration",
    )

    def __init__(self, recording: "Recording") -> None:
        self._recording = recording
        self._questions: Iterator[Question] = iter(recording.pipeline.questions)
        self._exchange: Exchange | None = None
        self._is_judged = self._is_seen = False
        self._done: set[object] = set()
        self.duration = recording.settle()

    def make(self) -> None:
        """Make the record. Raises nothing but what comes from outside."""
        try:
            try:
                self._make()
            except BaseException as error:
                if not interruptions.is_own(error):
                    self.ask_no_more()
                    # A hook's locks are none of those that the steps wait for.
                    if self._is_judged and interruptions.may_hold_lock(error):
                        self._recording.server_span.free_locks()
                    else:
                        self._make()
                raise
        except Exception as error:
            _guard.swallow("recording.finish", error)
        finally:
            try:
                self._recording.close(self.duration)
            except BaseException as error:  # interrupted: it does nothing twice
                if interruptions.may_hold_lock(error):
                    self._recording.server_span.free_locks()
                self._recording.close(self.duration)
                raise

    def ask_no_more(self) -> None:
        """Leave out the hooks that have not been asked."""
        self._questions = iter(())

    def see(self) -> None:
        """Take the exchange as it is now. Never raises."""
        try:
            self._see()
        except Exception as error:
            _guard.swallow("recording.finish", error)

    async def judge(self) -> None:
        """Ask the hooks, which may be `async`; `make` has none left to ask then."""
        for question in self._questions:
            if self._exchange is not None:
                self._exchange = await question.ask_async(self._exchange)

    def _see(self) -> None:
        if not self._is_seen:
            if not self._recording.skipped:
                self._exchange = snapshot(self._recording, self.duration)
            self._is_seen = True

    def _make(self) -> None:
        if "active" not in self._done:
            self._recording.count_out()
            self._done.add("active")
        self._see()
        for question in self._questions:
            if self._exchange is not None:
                self._exchange = question.ask(self._exchange)
        self._is_judged = True
        if self._exchange is not None:
            held = self._recording.server_span
            self._recording.pipeline.conclude(
                self._exchange,
                held.span,
                context=held.context,
                owned=held.owner is Owner.OURS,
                given=held.given,
                safe_line=held.safe_line,
                done=self._done,
            )
        elif (span := self._recording.server_span.span) is not None and span.is_recording():
            # Who reads spans, such as an exporter to a vendor, shall leave this one out too.
            span.set_attribute(semconv.SKIPPED, True)
