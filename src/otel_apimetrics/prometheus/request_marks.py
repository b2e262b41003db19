"""What is noted on Flask's request while it is served.

The names are prometheus-flask-exporter's: apps set `request.prom_do_not_track = True` by hand.
"""

from typing import Any, Final

import flask

DO_NOT_TRACK: Final = "prom_do_not_track"
"""No default metric counts the request."""
EXCLUDE_ALL: Final = "prom_exclude_all"
"""No metric counts the request."""
START: Final = "prom_start_time"
"""Of `time.perf_counter`, in seconds."""


def the_request() -> Any:
    """Give the request itself, whose attributes cost less than its proxy's.

    Raises:
        RuntimeError: none is being served (Flask's own).
    """
    return flask.request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001


def is_untracked(request: Any) -> bool:
    """Tell whether the default metrics leave the request out."""
    return hasattr(request, DO_NOT_TRACK) or hasattr(request, EXCLUDE_ALL)


def is_excluded(request: Any) -> bool:
    """Tell whether every metric leaves the request out."""
    return hasattr(request, EXCLUDE_ALL)
