"""One call of a function that is measured within a request of Flask's."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import flask
from opentelemetry import context
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from otel_apimetrics import _guard
from otel_apimetrics.prometheus.decorators import View
from otel_apimetrics.prometheus.flask_defaults import failed
from otel_apimetrics.prometheus.flask_served import is_view
from otel_apimetrics.prometheus.flask_waiting import expect, wait
from otel_apimetrics.prometheus.label_values import LabelValues
from otel_apimetrics.prometheus.request_marks import is_excluded
from otel_apimetrics.prometheus.tally import Values


@dataclass(frozen=True, slots=True)
class Measured:
    """What calls are measured by, and what labels see of them."""

    instrument: Any
    """A `Tally`, or a histogram of seconds."""
    labels: LabelValues
    kind: str
    """"counter"; "gauge", of calls in progress; "histogram" and "summary", of seconds."""
    convert: Callable[[Any], Any] | None
    """Makes a response of what a view returns, for labels; `None` waits for the response itself."""
    as_exporter: bool
    """As prometheus-flask-exporter: labels see the response before hooks have it, and a text with
    500 for an exception that no handler answers; what `convert` makes is what the view returns."""


@dataclass(slots=True)
class _Outcome:
    """How a call has ended."""

    seconds: float
    asked: Mapping[str, str]
    """The labels that need no response."""
    context: Any
    """OpenTelemetry's, for the exemplars of durations."""
    returned: Any = None
    error: Exception | None = None


class Call:
    """A call that has begun.

    Args:
        measured: what it is measured by.
        view: the function.
        request: that is being served.
    """

    def __init__(self, measured: Measured, view: View, request: Any) -> None:
        self._measured: Final = measured
        self._view: Final = view
        self._request: Final = request
        self._entered: Values | None = None
        self._outcome: _Outcome | None = None
        self._within: Final = sys.exc_info()[1]
        if measured.kind == "gauge":
            labels = measured.labels.of(None)
            measured.instrument.add(1, labels)
            self._entered = labels
        elif measured.as_exporter:
            expect(request)  # before the view asks for hooks of its own
        self._start: Final = perf_counter()

    def returned(self, returned: Any) -> Any:
        """Measure a call that has returned, and give what the function returns."""
        outcome = self._ended()
        if outcome is None:
            return returned
        outcome.returned = returned
        if not is_view(self._request, self._view):
            self._measure(outcome, returned)
            return returned
        convert = self._measured.convert
        if convert is None or isinstance(returned, flask.Response):
            self._wait(outcome)
            return returned
        try:
            response = convert(returned)
        except Exception as error:
            _guard.swallow("prometheus.convert", error)
            self._wait(outcome)
            return returned
        self._measure(outcome, response)
        return response if self._measured.as_exporter else returned

    def raised(self, error: BaseException) -> None:
        """Measure a call that has raised. What ends a task or a process is not measured."""
        outcome = self._ended()
        if outcome is None or not isinstance(error, Exception):
            return
        outcome.error = error
        if is_view(self._request, self._view):
            # Decorators around this one and handlers of the app may answer it.
            self._wait(outcome)
        else:
            self._measure(outcome, _answer(error))

    def answered(self, response: Any) -> None:
        """Measure with the response."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            return
        now = sys.exc_info()[1]
        if not self._measured.as_exporter or now is None or now is self._within:
            self._measure(outcome, response)
        else:
            # Flask answers an exception that no handler has.
            self._measure_unserved(outcome, now)

    def unanswered(self, error: BaseException | None) -> None:
        """Measure where nothing was made of the call."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            return
        if error is not None and not self._measured.as_exporter:
            self._measure(outcome, failed(error))
        else:
            self._measure_unserved(outcome, error)

    def _ended(self) -> _Outcome | None:
        seconds = perf_counter() - self._start
        labels, self._entered = self._entered, None
        if labels is not None:
            self._measured.instrument.add(-1, labels)
        if self._measured.kind == "gauge" or is_excluded(self._request):
            return None
        # Asked now: decorators further out may take down what labels look at.
        asked = self._measured.labels.before()
        now = None if self._measured.kind == "counter" else context.get_current()
        return _Outcome(max(seconds, 0.0), asked, now)

    def _wait(self, outcome: _Outcome) -> None:
        self._outcome = outcome
        wait(self._request, self, as_made=self._measured.as_exporter)

    def _measure_unserved(self, outcome: _Outcome, error: BaseException | None) -> None:
        """Measure with the response that would have been made of the call alone."""
        if outcome.error is None:
            if _is_run(outcome.returned):
                return
            try:
                response = flask.make_response(outcome.returned)
            except Exception:
                # It is no response, which Flask has said.
                return
        elif error is not None and (outcome.error is error or not _has_left_a_view(error)):
            # In the latter case a handler has raised it, which was to answer the view's.
            response = failed(error)
        else:
            response = _answer(outcome.error)
        self._measure(outcome, response)

    def _measure(self, outcome: _Outcome, response: Any) -> None:
        measured = self._measured
        labels = measured.labels.after(outcome.asked, response)
        if measured.kind == "counter":
            measured.instrument.add(1, labels)
        else:
            measured.instrument.record(outcome.seconds, labels, context=outcome.context)


def _is_run(returned: Any) -> bool:
    """Tell whether making a response runs a WSGI app, which it would do again."""
    body = returned[0] if isinstance(returned, tuple) and returned else returned
    return callable(body) and not isinstance(body, (Response, HTTPException))


def _has_left_a_view(error: BaseException) -> bool:
    """Tell whether an exception has come from a view or from what decorates it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "dispatch_request":  # Flask's
            return True
        trace = trace.tb_next
    return False


def _answer(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        return flask.make_response(error)
    return failed(error)
