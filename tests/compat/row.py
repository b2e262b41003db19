"""A row of a page of parity."""

from typing import NamedTuple

OTHER = "a method that HTTP's standards do not name is `_OTHER`; upstream shows each one that a client thinks of"


class Row(NamedTuple):
    """A feature."""

    feature: str
    differs: str = ""
    """How ours differs, and why; empty where it does not."""
