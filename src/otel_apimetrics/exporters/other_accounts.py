"""What is left in a spool for credentials that nobody uses any more."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.exporters.spool import Spool

_PAUSE: Final = 3600.0
"""Seconds between two looks."""


class OtherAccounts:
    """Looks for it now and then.

    Args:
        name: of the exporter.
        spool: beside whose parcels the others are.
        dropped: counts exchanges that are given up, by reason.
    """

    def __init__(self, name: str, spool: Spool, dropped: Callable[[str, int], object]) -> None:
        self._name: Final = name
        self._spool: Final = spool
        self._dropped: Final = dropped
        self._due = 0.0

    def tidy(self) -> None:
        """Drop it, where it is time to look."""
        if monotonic() < self._due:
            return
        self._due = monotonic() + _PAUSE
        if number := self._spool.drop_abandoned():
            self._dropped("expired", number)
            _guard.warn(
                f"exporter.{self._name}.abandoned",
                "The exporter %s found %d exchanges in its spool for other credentials, which no"
                " process has used for a day. They are dropped, and counted in"
                " apimetrics.exporter.dropped as expired: change a key when its spool is empty.",
                self._name,
                number,
            )
