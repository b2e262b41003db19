"""Which headers of a request or a response are recorded."""

import re

from otel_apimetrics.identity import IP_HEADERS
from otel_apimetrics.redaction import Remembered

SAFE_HEADERS = frozenset(
    {
        "accept", "accept-charset", "accept-encoding", "accept-language", "accept-ranges",
        "age", "allow", "cache-control", "content-disposition", "content-encoding",
        "content-language", "content-length", "content-location", "content-range",
        "content-type", "date", "etag", "expect", "expires", "host", "if-match",
        "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "last-modified", "location", "origin", "prefer", "range", "ratelimit",
        "ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset",
        "referer", "retry-after", "server", "traceparent", "transfer-encoding",
        "user-agent", "vary", "x-ratelimit-limit", "x-ratelimit-remaining",
        "x-ratelimit-reset", "x-request-id",
    }
)  # fmt: skip
"""What `capture_headers="safe"` records: headers that say how, not who or with what key."""

_LEFT = 0
TAKEN = 1
_ADDRESS = 2
"""Recorded as `client_ip` says."""
_MOST_HEADERS = 1_024
_LONGEST_HEADER = 256
"""Characters of a header's value that is remembered."""


class HeaderChoice:
    """Tells which headers of one side are recorded.

    Args:
        chosen: "safe", "all", "off" or names in lower case.
        extra: further names or regular expressions, from the variables of OpenTelemetry's
            own instrumentations (`OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_*`).
    """

    def __init__(self, chosen: str | frozenset[str], extra: tuple[str, ...]) -> None:
        self._all = chosen == "all"
        self._names = (
            chosen
            if isinstance(chosen, frozenset)
            else SAFE_HEADERS
            if chosen == "safe"
            else frozenset()
        )
        self._extra = re.compile("|".join(extra), re.IGNORECASE) if extra else None
        self.kinds: Remembered[int] = Remembered(self._kind)
        """By the header's lower-case name; 0 where it is not recorded."""
        self.nothing = not (self._all or self._names or extra)
        self.clean: set[tuple[str, str]] = set()
        """Headers that are recorded as they are: most responses have the same ones."""

    def remember(self, header: tuple[str, str]) -> None:
        """Remember a header that is recorded as it is, but for a long one."""
        if len(header[1]) <= _LONGEST_HEADER:
            if len(self.clean) >= _MOST_HEADERS:
                self.clean.clear()
            self.clean.add(header)

    def takes(self, name: str) -> bool:
        """Tell whether the header of this lower-case name is recorded."""
        return self.kinds[name] != _LEFT

    def _kind(self, name: str) -> int:
        if not (self._all or name in self._names or (self._extra and self._extra.fullmatch(name))):
            return _LEFT
        return _ADDRESS if name in IP_HEADERS else TAKEN
