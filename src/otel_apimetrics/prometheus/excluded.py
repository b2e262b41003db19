"""Paths that nothing counts."""

import re
from collections.abc import Iterable
from typing import Final


class Excluded:
    """Paths that nothing counts.

    Args:
        patterns: matched at the beginning of a path.

    Raises:
        re.error: one is no expression.
    """

    def __init__(self, patterns: str | Iterable[str] | None) -> None:
        one = isinstance(patterns, str) and patterns != ""
        self.patterns: Final = [
            re.compile(pattern) for pattern in ((patterns,) if one else patterns or ())
        ]

    def __call__(self, path: str) -> bool:
        """Tell whether a path is one of them."""
        return bool(self.patterns) and any(pattern.match(path) for pattern in self.patterns)
