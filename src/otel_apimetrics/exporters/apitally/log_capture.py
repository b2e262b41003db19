"""What an app logs while it serves a request, kept until the request's exchange comes.

`Logger.callHandlers` is wrapped and no handler is added: a root logger with a handler makes
`logging.basicConfig` do nothing, and Flask leave its own handler out.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.exceptions import describe
from otel_apimetrics.exchange import ExceptionInfo, Exchange
from otel_apimetrics.exporters.apitally.tally import MAX_MESSAGE, cut
from otel_apimetrics.redaction import Redactor

MAX_LINES: Final = 1_000
"""Of one request."""
_MOST_REQUESTS: Final = 4_096
_MOST_LINES: Final = 20_000
"""Of all requests whose exchanges have not come; past it those of the oldest go."""
_READ: Final = 4 * MAX_MESSAGE
"""Characters of a message that are redacted before it is cut."""
_MOST_EXTRA: Final = 32
_NOT_OF_THE_APP: Final = ("otel_apimetrics", "opentelemetry", "apitally")
_STANDARD: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
_NOT_EXTRA: Final = _STANDARD | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record of `logging`."""

    time_ns: int
    logger: str
    level: str
    number: int
    message: str
    file: str
    line: int
    function: str
    exception: ExceptionInfo | None
    extra: Mapping[str, Any]


Logged: TypeAlias = tuple[Exchange, Sequence[LogLine]]
"""An exchange, and what the app has logged for it."""


def size_of_lines(lines: Sequence[LogLine]) -> int:
    """Estimate the memory of records, in bytes."""
    return sum(512 + len(line.message) for line in lines)


@dataclass(slots=True)
class _Kept:
    redactor: Redactor
    lines: list[LogLine] = field(default_factory=list)


class LogCapture:
    """Notes records on the threads that log, and gives them redacted to whoever exports.

    Without locks: none may be held by a thread that a forked child does not have.
    """

    def __init__(self) -> None:
        self._kept: Final[dict[str, _Kept]] = {}
        self._lines = 0

    def install(self) -> None:
        """Note what is logged from now on."""
        if self not in _active:
            _active.append(self)
        _wrap()

    def remove(self) -> None:
        """Note nothing more."""
        if self in _active:
            _active.remove(self)
        _unwrap()
        self._kept.clear()

    def note(self, record: logging.LogRecord) -> None:
        """Keep a record, where it was logged for a request. May raise."""
        request: Any = open_requests.current.get()
        if request is None or record.name.partition(".")[0] in _NOT_OF_THE_APP:
            return
        exchange_id, pipeline = getattr(request, "id", None), getattr(request, "pipeline", None)
        if exchange_id is None or pipeline is None:
            return
        kept = self._kept.setdefault(exchange_id, _Kept(pipeline.redactor))
        if len(kept.lines) < MAX_LINES:
            kept.lines.append(_line(record))
            self._lines += 1
        while self._lines > _MOST_LINES or len(self._kept) > _MOST_REQUESTS:
            self._drop_oldest()

    def take(self, exchange_id: str) -> tuple[LogLine, ...]:
        """Take out the records of an exchange, redacted."""
        kept = self._kept.pop(exchange_id, None)
        if kept is None:
            return ()
        self._lines -= len(kept.lines)
        return tuple(_redacted(line, kept.redactor) for line in kept.lines)

    def _drop_oldest(self) -> None:
        try:
            gone = self._kept.pop(next(iter(self._kept)), None)
        except (StopIteration, RuntimeError):  # another thread has changed it
            self._lines = sum(len(kept.lines) for kept in list(self._kept.values()))
            return
        self._lines -= len(gone.lines) if gone is not None else 0


_active: list[LogCapture] = []
_ORIGINAL: Final = "__apimetrics_original__"


def _wrap() -> None:
    original: Callable[..., object] = logging.Logger.callHandlers
    if hasattr(original, _ORIGINAL):
        return

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> object:
        result = original(self, record)
        for capture in tuple(_active):
            _note(capture, record)
        return result

    setattr(call_handlers, _ORIGINAL, original)
    logging.Logger.callHandlers = call_handlers  # type: ignore[assignment,method-assign]


def _unwrap() -> None:
    """Put the original back, except where somebody has wrapped ours in turn."""
    original = getattr(logging.Logger.callHandlers, _ORIGINAL, None)
    if original is not None and not _active:
        logging.Logger.callHandlers = original  # type: ignore[method-assign]


def _note(capture: LogCapture, record: logging.LogRecord) -> None:
    try:
        capture.note(record)
    except Exception as error:
        _guard.swallow("apitally.note", error)


def _line(record: logging.LogRecord) -> LogLine:
    try:
        message = record.getMessage()
    except Exception:  # arguments that do not fit: `logging` itself has said so already
        message = str(record.msg)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    extra = {
        name: value
        for name, value in list(vars(record).items())
        if name not in _NOT_EXTRA and isinstance(value, (str, int, float))
    }
    return LogLine(
        time_ns=int(record.created * 1e9),
        logger=record.name,
        level=record.levelname,
        number=record.levelno,
        message=message[:_READ],
        file=record.pathname,
        line=record.lineno,
        function=record.funcName or "",
        exception=None if error is None else describe(error),
        extra=dict(list(extra.items())[:_MOST_EXTRA]),
    )


def _redacted(line: LogLine, redactor: Redactor) -> LogLine:
    error = line.exception
    if error is not None:
        error = ExceptionInfo(
            type=error.type,
            message=cut(redactor.text(error.message)),
            stacktrace=redactor.text(error.stacktrace),
        )
    return replace(
        line,
        message=cut(redactor.text(line.message, truncated=len(line.message) >= _READ)),
        exception=error,
        extra={
            name: cut(value) if isinstance(value, str) else value
            for name, raw in line.extra.items()
            if isinstance(value := redactor.value(name, raw), (str, int, float))
        },
    )
