"""An exception as a record: its type, message and stack as text, bounded."""

import traceback

from otel_apimetrics.exchange import ExceptionInfo

MAX_MESSAGE = 4_096
"""Characters of a message that are kept."""
MAX_STACK = 32_768
"""Characters of a stack that are kept, from its end: there is the line that raised."""

READ_MESSAGE = 4 * MAX_MESSAGE
"""Characters of a message that are redacted before it is cut."""
READ_STACK = 4 * MAX_STACK
"""Characters of a stack that are redacted before it is cut."""


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
    if len(stack) > READ_STACK:
        # A part of a line may be a part of a secret.
        stack = stack[-READ_STACK:].partition("\n")[2]
    return ExceptionInfo(type=type_name(error), message=message[:READ_MESSAGE], stacktrace=stack)


def type_name(error: BaseException) -> str:
    """Give the qualified name of an exception's class, bare for the built-in ones."""
    cls = type(error)
    module = cls.__module__
    return cls.__qualname__ if module == "builtins" else f"{module}.{cls.__qualname__}"
