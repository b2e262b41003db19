"""An exception as a record: its type, message and stack as text, bounded."""

import traceback

from otel_apimetrics.exchange import ExceptionInfo

MAX_MESSAGE = 4_096
"""Characters of a message that are kept."""
MAX_STACK = 32_768
"""Characters of a stack that are kept, from its end: there is the line that raised."""


def describe(error: BaseException) -> ExceptionInfo:
    """Describe an exception by the conventions' `exception.*` attributes. Never raises."""
    try:
        stack = "".join(traceback.format_exception(error))
    except Exception:  # a `__str__` of the app's that raises
        stack = ""
    try:
        message = str(error)
    except Exception:
        message = ""
    return ExceptionInfo(
        type=type_name(error), message=message[:MAX_MESSAGE], stacktrace=stack[-MAX_STACK:]
    )


def type_name(error: BaseException) -> str:
    """Give the qualified name of an exception's class, bare for the built-in ones."""
    cls = type(error)
    module = cls.__module__
    return cls.__qualname__ if module == "builtins" else f"{module}.{cls.__qualname__}"
