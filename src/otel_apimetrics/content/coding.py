"""Content codings undone within bounds (RFC 9110, section 8.4).

Each coding is undone by a decompressor that is told how much it may give, so a bomb costs no
more than the bound. `br` and `zstd` need an optional package, imported at the first such body.
"""

import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol, TypeAlias

Decoder: TypeAlias = Callable[[bytes, int], tuple[bytes, bool]]
"""Coded bytes and a bound of at least 1 byte, to about as many plain bytes at most and whether
the stream had its end. Raises `CodingError`."""

_MAX_CODINGS = 3

_MAX_MEMBERS = 64
"""Gzip members or zstd frames in one body: each costs a decompressor and a copy of the rest."""

_ZSTD_WINDOW_LOG = 23
"""8 MiB, the largest window that RFC 9659 allows in a content coding."""

_ZSTD_SLICE = 64
"""Bytes. A zstd block of 4 bytes can hold 128 KiB, so a slice gives 2 MiB at the most."""


class CodingError(Exception):
    """A body is not what its Content-Encoding says, or nothing here can undo that."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@lru_cache(maxsize=64)
def _codings(content_encoding: str) -> tuple[str, ...]:
    names = (name.strip() for name in content_encoding.lower().split(","))
    return tuple(name for name in names if name and name != "identity")


def undo(
    data: bytes, content_encoding: str, *, complete: bool, limit: int, max_ratio: int
) -> tuple[bytes, bool]:
    """Undo the content codings of a body, the last applied first.

    Args:
        data: the bytes of the wire, or a prefix of them.
        content_encoding: the Content-Encoding header's value, several lines joined with commas.
        complete: False where `data` is a prefix.
        limit: bytes; the result, and each step before it, is cut there.
        max_ratio: plain bytes for each byte of `data`, at most.

    Returns:
        The plain bytes, and True where they are the whole body.

    Raises:
        CodingError: a coding is unknown or not installed, more than three are stacked, the
            data is corrupt, ends early or goes on after its end, or the ratio is exceeded.
    """
    if data and content_encoding:
        bound = max(min(limit, max_ratio * len(data)), 0)
        for decoder in _decoders(content_encoding):
            data, ended = decoder(data, bound + 1)
            if len(data) > bound < limit:
                raise CodingError("the ratio is exceeded")
            if complete and not ended and len(data) <= bound:
                raise CodingError("the data ends early")
            complete = complete and len(data) <= bound
            data = data[:bound]
    if len(data) > limit:
        return data[: max(limit, 0)], False
    return data, complete


def _decoders(content_encoding: str) -> list[Decoder]:
    if len(content_encoding) > 128:  # noqa: PLR2004  no list of three known names is as long
        raise CodingError("the list is too long")
    names = _codings(content_encoding)
    decoders = [found for found in map(_decoder, reversed(names)) if found]
    if len(names) > _MAX_CODINGS or len(decoders) < len(names):
        raise CodingError("a coding is unknown, or too many are stacked")
    return decoders


def _decoder(name: str) -> Decoder | None:
    if name in {"gzip", "x-gzip"}:
        return gzip
    if name == "deflate":
        return deflate
    if name == "br":
        return brotli()
    return zstd() if name == "zstd" else None


def gzip(data: bytes, most: int) -> tuple[bytes, bool]:
    """Undo gzip, of one member or of several (RFC 1952, section 2.2)."""
    try:
        return _members(data, most, lambda: zlib.decompressobj(16 + zlib.MAX_WBITS))
    except zlib.error as error:
        raise CodingError("gzip") from error


def deflate(data: bytes, most: int) -> tuple[bytes, bool]:
    """Undo deflate in its zlib wrapper (RFC 1950), or bare (RFC 1951), as many servers send it."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        member = zlib.decompressobj(bits)
        try:
            plain = member.decompress(data, most)
        except zlib.error:
            continue
        if not member.unused_data:
            return plain, member.eof
    raise CodingError("deflate")


def _members(
    data: bytes, most: int, decompressor: Callable[[], _Decompressor]
) -> tuple[bytes, bool]:
    plain = b""
    for _ in range(_MAX_MEMBERS):
        member = decompressor()
        plain += member.decompress(data, most - len(plain))
        data = member.unused_data
        # A bound of 0 would mean none to zlib, so a full result ends the walk.
        if not data or len(plain) >= most:
            return plain, member.eof and not data
    raise CodingError("too many members")


@cache
def brotli() -> Decoder | None:
    """Find a decoder of `br` (RFC 7932): `brotli` or `brotlicffi`, from 1.2, or `None`."""
    for module in _installed("brotli", "brotlicffi"):
        try:
            module.Decompressor().process(b"", output_buffer_limit=1)
        except TypeError:  # before 1.2 nothing bounds its output
            continue
        return brotli_decoder(module)
    return None


def brotli_decoder(module: Any) -> Decoder:
    """Make a decoder of `br` from a module with the interface of `brotli` 1.2."""

    def decode(data: bytes, most: int) -> tuple[bytes, bool]:
        stream = module.Decompressor()
        try:
            plain: bytes = stream.process(data, output_buffer_limit=most)
        except module.error as error:
            raise CodingError("br") from error
        return plain, stream.is_finished()

    return decode


@cache
def zstd() -> Decoder | None:
    """Find a decoder of `zstd` (RFC 8878): the standard library's, from 3.14, or a package's."""
    standard = ("compression.zstd",) if sys.version_info >= (3, 14) else ()
    for module in _installed(*standard, "backports.zstd"):
        return zstd_decoder(module)
    for module in _installed("zstandard"):
        return zstandard_decoder(module)
    return None


def zstd_decoder(module: Any) -> Decoder:
    """Make a decoder of `zstd` from a module with the interface of `compression.zstd`."""
    options = {module.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}

    def decode(data: bytes, most: int) -> tuple[bytes, bool]:
        try:
            return _members(data, most, lambda: module.ZstdDecompressor(options=options))
        except module.ZstdError as error:
            raise CodingError("zstd") from error

    return decode


def zstandard_decoder(module: Any) -> Decoder:
    """Make a decoder of `zstd` from the package `zstandard`."""
    context = module.ZstdDecompressor

    def decode(data: bytes, most: int) -> tuple[bytes, bool]:
        try:
            return _members(
                data,
                most,
                lambda: _Sliced(context(max_window_size=1 << _ZSTD_WINDOW_LOG).decompressobj()),
            )
        except module.ZstdError as error:
            raise CodingError("zstd") from error

    return decode


class _Sliced:
    """A decompressor without a bound of its own, fed in slices until there is enough."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.eof = False
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        plain: list[bytes] = []
        size = start = 0
        while start < len(data) and size < max_length and not self.eof:
            plain.append(self._stream.decompress(data[start : start + _ZSTD_SLICE]))
            size += len(plain[-1])
            start += _ZSTD_SLICE
            self.eof = self._stream.eof
        if self.eof:
            self.unused_data = self._stream.unused_data + data[start:]
        return b"".join(plain)


def _installed(*names: str) -> list[ModuleType]:
    modules = []
    for name in names:
        with suppress(ImportError):
            modules.append(import_module(name))
    return modules
