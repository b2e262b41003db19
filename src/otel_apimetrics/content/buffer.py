"""The bytes of a body as they pass: all counted, the first few kept."""


class BodyBuffer:
    """Count a body's bytes and keep the first `limit` of them.

    `write` runs once a chunk of every body, a download of a gibibyte too: once full, or with
    a limit of 0, it only adds. One request owns a buffer; it has no lock.

    Attributes:
        size: bytes written so far, kept or not.
    """

    __slots__ = ("_chunks", "_room", "size")

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._room = max(limit, 0)
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the body.

        Args:
            chunk: what the app or its server passed on. `bytes` are kept by reference; a
                `bytearray` or a `memoryview` is copied, because its owner may write to it again.
        """
        # The length of a memoryview counts items, which need not be bytes.
        length = len(chunk) if type(chunk) is bytes else memoryview(chunk).nbytes
        self.size += length
        if self._room and length:
            kept = chunk if type(chunk) is bytes else _copy(memoryview(chunk), self._room)
            self._chunks.append(kept[: self._room])
            self._room -= min(length, self._room)

    @property
    def data(self) -> bytes:
        """The kept bytes, joined once."""
        if len(self._chunks) != 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0]

    @property
    def truncated(self) -> bool:
        """True where `data` is shorter than what was written."""
        return self.size > sum(map(len, self._chunks))

    def clear(self) -> None:
        """Free what was kept and keep nothing more; `size` goes on counting."""
        self._room = 0
        self._chunks = []


def _copy(view: memoryview, room: int) -> bytes:
    # Only one dimension can be sliced; the first `room` items hold at least `room` bytes.
    return bytes(view[:room]) if view.ndim == 1 else view.tobytes()
