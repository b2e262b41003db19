"""What one HTTP request carries to a backend."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parcel:
    """A request, without what proves who sends it. The same bytes at each attempt."""

    path: str
    """Behind the backend's base URL, with a leading slash."""
    body: bytes
    """As the backend wants it, before a content-coding."""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    """Without credentials: a parcel may wait on a disk."""
    count: int = 1
    """Exchanges inside."""
    method: str = "POST"
    packed: bool = False
    """It is sent with gzip, whatever its size; its headers say so where the backend wants that."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How the delivery of a parcel has ended."""

    status: int | None
    """`None`: there was no answer within the time."""
    headers: "dict[str, str]"
    """Names in lower case."""
    body: bytes
    """The beginning of it, 64 KiB at most unless more was asked for."""
    attempts: int = 1
    """0 where there was no time for one, or the backend has asked to be left alone."""

    @property
    def taken(self) -> bool:
        """Tell whether the backend took the parcel (any 2xx)."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  RFC 9110 15.3

    @property
    def refused(self) -> bool:
        """Tell whether the backend will not take these bytes, however often they are sent."""
        return self.status is not None and not self.taken and self.status not in RETRIED

    @property
    def failing(self) -> bool:
        """Tell whether the backend failed at it: itself ill, or because of what it was sent.

        503 is left out: with it a backend says that it is away.
        """
        return self.status is not None and self.status in _FAILING

    @property
    def away(self) -> bool:
        """Tell whether the backend seems to be away: it said so, or did not answer."""
        return self.status in {None, _UNAVAILABLE}


RETRIED = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses after which the same bytes may be taken later."""
_UNAVAILABLE = 503
_FAILING = frozenset(range(500, 600)) - {_UNAVAILABLE}
UNREADABLE = frozenset({400, 413, 422})
"""Statuses that say something of the body: a part of it may be taken."""
