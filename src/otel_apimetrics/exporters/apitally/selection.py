"""Which requests become request logs. All are counted."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final, TypeAlias

from otel_apimetrics import _guard, interruptions
from otel_apimetrics.exchange import Exchange, first
from otel_apimetrics.exporters.apitally.masks import either
from otel_apimetrics.exporters.apitally.tally import status_of

Exclude: TypeAlias = Callable[[Exchange], Any]
"""Tells, by a true answer, that a request becomes no log."""

PATHS: Final = (
    r"/_?healthz?/?$", r"/_?health[-_]?checks?/?$", r"/_?heart[-_]?beats?/?$", r"/ping/?$",
    r"/ready/?$", r"/live/?$", r"/favicon(?:-[\w-]+)?\.(?:ico|png|svg)$",
    r"/apple-touch-icon(?:-[\w-]+)?\.png$", r"/robots\.txt$", r"/sitemap\.xml$",
    r"/manifest\.json$", r"/site\.webmanifest$", r"/service-worker\.js$", r"/sw\.js$",
    r"/\.well-known/",
)  # fmt: skip
AGENTS: Final = (
    "health[-_ ]?check", "microsoft-azure-application-lb", "googlehc", "kube-probe",
)  # fmt: skip
"""What the vendor's SDK leaves out, whatever the user adds."""

_IDS: Final = 2**64


class Selection:
    """Chooses exchanges.

    Args:
        paths: further expressions, searched for in the path without regard to case.
        exclude: the user's own choice.
        rate: share of the requests that are logged; of one trace all or none.
    """

    def __init__(
        self, paths: Iterable[str] = (), exclude: Exclude | None = None, rate: float = 1.0
    ) -> None:
        self._paths: Final = either((*PATHS, *paths))
        self._agents: Final = either(AGENTS)
        self._exclude: Final = exclude
        self._below: Final = round(rate * _IDS)

    def wants(self, exchange: Exchange) -> bool:
        """Tell whether an exchange becomes a request log."""
        request = exchange.request
        if (
            exchange.direction != "incoming"
            or exchange.websocket is not None
            or request.method.upper() == "OPTIONS"
            or status_of(exchange) is None
        ):
            return False
        agent = request.user_agent or first(request.headers, "user-agent")
        if self._paths.search(request.path) or self._agents.search(agent):
            return False
        return self._is_sampled(exchange) and not self._is_excluded(exchange)

    def _is_sampled(self, exchange: Exchange) -> bool:
        if self._below >= _IDS:
            return True
        trace_id = exchange.trace_id
        if not trace_id:  # no span, so no trace that another service would keep
            trace_id = int.from_bytes(sha256(exchange.id.encode()).digest()[:8], "big")
        return trace_id % _IDS < self._below

    def _is_excluded(self, exchange: Exchange) -> bool:
        if self._exclude is None:
            return False
        try:
            return bool(self._exclude(exchange))
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            # It was to keep something back: nobody knows what.
            _guard.swallow("apitally.exclude", error)
            return True
