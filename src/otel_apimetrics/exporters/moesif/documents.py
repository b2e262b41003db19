"""What is set in Moesif, asked for beside the deliveries: its configuration and its rules."""

from collections.abc import Callable
from time import monotonic
from typing import Final, TypeAlias

from otel_apimetrics import _guard
from otel_apimetrics.exporters.parcel import Answer
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender

Read: TypeAlias = Callable[[bytes], bool]
"""Gets a document; tells whether it could be read."""

EVERY: Final = 60.0
"""Seconds after which a document is asked for again."""
MOST: Final = 4 * 1024 * 1024
"""Bytes of a document: it may name each user."""
_WAIT: Final = 3.0
"""Seconds that an answer may take: deliveries wait for it."""


class Document:
    """One of Moesif's documents. Used by one thread at a time.

    Args:
        sender: to Moesif.
        path: of the document.
        tag: header, in lower case, that names the document's version in any answer.
        reads: get the document whenever it came, each whatever becomes of the others.
    """

    def __init__(self, sender: Sender, path: str, tag: str, *reads: Read) -> None:
        self._sender: Final = sender
        self._path: Final = path
        self._tag: Final = tag
        self._reads: Final = reads
        self._seen = ""
        """The version that came last."""
        self._version = ""
        """The version that was read."""
        self._due = 0.0

    def refresh(self, patience: Patience) -> bool:
        """Ask for the document where it is due. What cannot be had stays as it was.

        Returns:
            True where it came.
        """
        now = monotonic()
        if now < self._due:
            return False
        self._due = now + EVERY
        headers = {"If-None-Match": self._version} if self._version else {}
        answer = self._sender.fetch(self._path, patience.within(_WAIT), headers, most=MOST)
        if answer.taken:
            self._seen = answer.headers.get(self._tag, "")
            done = [self._is_read(read, answer.body) for read in self._reads]
            # Else "not modified" would keep a document away that nobody has read.
            self._version = self._seen if all(done) else ""
        return answer.taken

    def _is_read(self, read: Read, document: bytes) -> bool:
        try:
            return read(document)
        except Exception as error:
            _guard.swallow(f"moesif.document{self._path.replace('/', '.')}", error)
            return False

    def look_at(self, answer: Answer) -> None:
        """Ask again soon where an answer names another version."""
        version = answer.headers.get(self._tag)
        if version is not None and version != self._seen:
            self._due = 0.0

    def ask_again(self) -> None:
        """Ask at the next occasion, whatever the time."""
        self._due = 0.0


def configuration(sender: Sender, *reads: Read) -> Document:
    """Give the document of rates and of who is in which cohort."""
    return Document(sender, "/v1/config", "x-moesif-config-etag", *reads)


def rules(sender: Sender, read: Read) -> Document:
    """Give the document of governance rules."""
    return Document(sender, "/v1/rules", "x-moesif-rules-tag", read)
