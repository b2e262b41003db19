"""A row of a page of parity."""

from typing import NamedTuple


class Row(NamedTuple):
    """A feature."""

    feature: str
    differs: str = ""
    """How ours differs, and why; empty where it does not."""
