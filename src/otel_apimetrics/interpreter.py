"""Which of a process's Python interpreters this is.

uWSGI gives the second and each further app one of its own, and mod_wsgi each app. Threads that
outlive a request and compiled extensions are not made for them: google-re2 waits for a lock
for ever when it is imported in one.
"""

import sys
from importlib import import_module
from typing import Any

_MODULE = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"

REFUSAL = (
    "this app runs in a subinterpreter, which is not supported. Run it in the main one:"
    " single-interpreter = true in uWSGI, WSGIApplicationGroup %{GLOBAL} in mod_wsgi."
)


def is_main() -> bool:
    """Tell whether this is the interpreter that the process began with."""
    try:
        interpreters: Any = import_module(_MODULE)
        return bool(interpreters.get_current() == interpreters.get_main())
    except (ImportError, AttributeError):
        return True  # an implementation that has no others


def import_re2() -> Any:
    """Import google-re2.

    Raises:
        ImportError: it is not installed, or cannot be used here.
    """
    if not is_main():
        raise ImportError("google-re2 does not work in a subinterpreter")
    return import_module("re2")
