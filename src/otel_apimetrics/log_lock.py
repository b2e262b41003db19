"""The lock on log records: what is logged of a request's exception leaves as redacted as its span.

FastAPI's own telemetry and OpenTelemetry's handler of `logging` write the message and the stack
as they were raised. Only attributes that redaction guards are read; what an app logs is its own.
"""

import weakref
from typing import Any

from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from otel_apimetrics import _guard
from otel_apimetrics.redaction import Redactor

_attached: "weakref.WeakSet[RedactingLogRecordProcessor]" = weakref.WeakSet()


class RedactingLogRecordProcessor(LogRecordProcessor):
    """Redacts a record's attributes in place, before the processors behind it copy them.

    `on_emit` runs on the thread that logs; it does not block and never raises.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.redactor: Redactor | None = redactor
        """`None`: it lets everything pass."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Redact what the record says of an exception, a URL or a header."""
        redactor, record = self.redactor, log_record.log_record
        if redactor is None or not record.attributes:
            return
        try:
            guarded = redactor.guarded_keys
            if any(guarded[key] for key in record.attributes):
                record.attributes = {
                    key: redactor.attribute(key, value) if guarded[key] else value  # type: ignore[misc]
                    for key, value in record.attributes.items()
                }
        except Exception as error:
            _guard.swallow("logs.redact", error)
            record.attributes = {}

    def enabled(self, **_asked: Any) -> bool:
        """Ask for no record: whoever exports them does."""
        return False

    def shutdown(self) -> None:
        """Do nothing: nothing is held here."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        """Return at once: nothing is held here."""
        return True


def attach(redactor: Redactor) -> None:
    """Put the lock before the processors of the global logger provider, once. Never raises.

    The SDK has no public way to be the first: a batch processor has copied the record before
    one that is added later sees it. Where its inside is another one, nothing is done.
    """
    try:
        multi: Any = getattr(get_logger_provider(), "_multi_log_record_processor", None)
        kept = getattr(multi, "_log_record_processors", None)
        if not isinstance(kept, tuple):
            return
        for processor in kept:
            if isinstance(processor, RedactingLogRecordProcessor):
                processor.redactor = processor.redactor or redactor
                return
        processor = RedactingLogRecordProcessor(redactor)
        multi._log_record_processors = (processor, *kept)  # noqa: SLF001
        _attached.add(processor)
    except Exception as error:
        _guard.swallow("logs.attach", error)


def detach_all() -> None:
    """Make every lock inert, until `attach`."""
    for processor in _attached:
        processor.redactor = None
