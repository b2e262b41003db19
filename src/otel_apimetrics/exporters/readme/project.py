"""Where a project's documentation stands, which the URL of a log begins with."""

import json
import re
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from typing import Final

from otel_apimetrics import _guard, forked
from otel_apimetrics.beginning import Beginning
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender

FRESH: Final = 24 * 3600.0
"""Seconds after which the address is looked up again."""
RETRY: Final = 120.0
"""Seconds after a failure in which it is not."""
_URL: Final = re.compile(r"https?://[!-~]{1,2000}")


class Project:
    """Knows the address, or looks it up beside the requests: once a day, from one thread.

    Args:
        sender: to ReadMe's dashboard, with the project's credentials.
        known: the address, where it was configured.
    """

    _due: float
    """When it is to be looked up, of the monotonic clock."""

    def __init__(self, sender: Sender, known: str | None = None) -> None:
        self._sender: Final = sender
        self._configured: Final = known is not None
        self._known = known
        self._beginning = Beginning()
        self._beginning.make_sure(self._begin)

    def base_url(self) -> str | None:
        """Give the address without a slash at its end; `None` where it is not known yet."""
        if not self._configured and self._is_due():
            self._start(self._look_up)
        return self._known

    def _is_due(self) -> bool:
        self._beginning.make_sure(self._begin)
        with self._lock:
            if monotonic() < self._due:
                return False
            self._due = monotonic() + RETRY
            return True

    def _begin(self) -> None:
        self._lock = Lock()
        self._due = 0.0  # a thread of the parent's that looks it up is not here

    @staticmethod
    def _start(look_up: Callable[[], None]) -> None:
        if forked.has_no_threads():
            _guard.warn_once(
                "exporter.readme.project",
                "Here no thread can look up where your documentation stands: set"
                " OTEL_EXPORTER_README_BASE_LOG_URL, or leave documentation_header out.",
            )
            return
        Thread(target=look_up, name="apimetrics-readme-project", daemon=True).start()

    def _look_up(self) -> None:
        try:
            answer = self._sender.fetch("/v1/", Patience(RETRY))
            found = json.loads(answer.body)["baseUrl"] if answer.taken else ""
            if isinstance(found, str) and _URL.fullmatch(found):
                self._known, self._due = found.rstrip("/"), monotonic() + FRESH
                return
            _guard.warn(
                "exporter.readme.project",
                "%s does not tell where your documentation stands (%s): set"
                " OTEL_EXPORTER_README_BASE_LOG_URL. Until it does, responses have no"
                " x-documentation-url.",
                self._sender.base_url,
                answer.status or "no answer",
            )
        except Exception as error:
            _guard.swallow("exporter.readme.project", error)
