"""Name and value pairs of an HTTP Archive, as the query or form that they were sent in."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote_plus

_SAFE: Final = "-._~"


class Pairs:
    """Pairs that pass redaction together, since some rules look at their siblings.

    Args:
        pairs: as the archive has them: decoded by Firefox, as sent by Chromium.
        sent: the pairs of the URL, which tell as sent.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]], sent: Sequence[str]) -> None:
        self._raw: Final = [f"{name}={value}" in sent for name, value in pairs]
        written = [
            f"{name}={value}" if raw else f"{_quoted(name)}={_quoted(value)}"
            for (name, value), raw in zip(pairs, self._raw, strict=True)
        ]
        self.text: Final = "&".join(written)

    def kept(self, masked: str, after: str) -> list[tuple[int, str, str]]:
        """Give what is left of the pairs.

        Args:
            masked: `text`, redacted, with a mark in the place of each pair that is removed.
            after: what is left of it.

        Returns:
            Index, name and value of each pair, spelled as they came.
        """
        marked = [pair.partition("=")[0] for pair in masked.split("&")]
        kept: list[tuple[int, str, str]] = []
        at = 0
        for pair in after.split("&") if after else ():
            name, _, value = pair.partition("=")
            # What is removed is removed by its name, so the next of this name is the one.
            while at < len(self._raw) and marked[at] != name:
                at += 1
            if at == len(self._raw):
                break
            read = str if self._raw[at] else unquote_plus
            kept.append((at, read(name), read(value)))
            at += 1
        return kept


def _quoted(text: str) -> str:
    return quote(text, safe=_SAFE, errors="replace")
