"""What is remembered of requests: most names, header values, paths and ids come again."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

_LONGEST: Final = 256
"""Characters of a text that is remembered."""
_MOST: Final = 2_048
"""Texts that are remembered; then it begins anew, because they come from requests."""
_MOST_NAMES: Final = 1_024
"""Names whose verdict is remembered."""

_Verdict = TypeVar("_Verdict")


class Remembered(dict[str, _Verdict], Generic[_Verdict]):
    """The verdict on a name, judged once: `remembered[name]`.

    Names come from requests, so their number is bounded. Safe between threads: a verdict that
    was lost is found again.

    Args:
        judge: pure.
    """

    def __init__(self, judge: Callable[[str], _Verdict]) -> None:
        super().__init__()
        self._judge: Final = judge

    def __missing__(self, name: str) -> _Verdict:
        if len(self) >= _MOST_NAMES:
            self.clear()
        verdict = self[name] = self._judge(name)
        return verdict


class Clean:
    """Skips the rules for texts that they left as they were.

    What holds a secret is never kept, because what is masked is not remembered.

    Args:
        scrub: pure; returns an equal text where it finds nothing.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub: Final = scrub
        self.known: Final[set[str]] = set()
        """For those who look themselves before they call, which costs less."""

    def __call__(self, text: str) -> str:
        """Return the text, scrubbed where that changes it."""
        known = self.known
        if text in known:
            return text
        scrubbed = self._scrub(text)
        if scrubbed == text and len(text) <= _LONGEST:
            if len(known) >= _MOST:
                known.clear()
            known.add(text)
        return scrubbed
