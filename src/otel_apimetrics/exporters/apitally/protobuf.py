"""Protocol Buffers on the wire, as much of it as OTLP needs.

By hand: a message object for each span takes four times as long, on a thread that shares the
interpreter with requests.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

_U64: Final = (1 << 64) - 1
_SHORT: Final = tuple(bytes((value,)) for value in range(0x80))
"""The integers of seven bits: most lengths, and the tags of the first fields."""
_fixed64: Final = struct.Struct("<Q").pack
_fixed32: Final = struct.Struct("<I").pack
_double: Final = struct.Struct("<d").pack
_DEEPEST: Final = 16
_REPEATED: Final = 64
"""Characters of a value that may be the same in the next request."""


def varint(value: int) -> bytes:
    """Write an unsigned integer; a negative one as its two's complement of 64 bits."""
    if 0 <= value < 0x80:  # noqa: PLR2004  seven bits
        return _SHORT[value]
    value &= _U64
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(number: int, payload: bytes) -> bytes:
    """Write a field that holds a message, or bytes. Its number is below 16."""
    length = len(payload)
    size = _SHORT[length] if length < 0x80 else varint(length)  # noqa: PLR2004
    return _SHORT[number << 3 | 2] + size + payload


def text(number: int, value: str) -> bytes:
    """Write a field that holds a string; halves of surrogate pairs become `?`."""
    return message(number, value.encode("utf-8", "replace"))


def integer(number: int, value: int) -> bytes:
    """Write a field that holds an integer or an enum."""
    return varint(number << 3) + varint(value)


def signed(number: int, value: int) -> bytes:
    """Write a field of type sint32."""
    return integer(number, (value << 1) ^ (value >> 63))


def fixed64(number: int, value: int) -> bytes:
    """Write a field of 64 bits: a time in nanoseconds, a count."""
    return varint(number << 3 | 1) + _fixed64(value & _U64)


def fixed32(number: int, value: int) -> bytes:
    """Write a field of 32 bits: flags."""
    return varint(number << 3 | 5) + _fixed32(value & 0xFFFF_FFFF)


def double(number: int, value: float) -> bytes:
    """Write a field of type double."""
    return varint(number << 3 | 1) + _double(value)


def packed(number: int, values: Iterable[int]) -> bytes:
    """Write a field of repeated unsigned integers."""
    return message(number, b"".join(map(varint, values)))


def attributes(number: int, values: Mapping[str, Any]) -> bytes:
    """Write repeated `KeyValue` (opentelemetry.proto.common.v1); `None` is left out.

    Args:
        number: of the field.
        values: by key; lists are of strings.
    """
    return b"".join(
        [_attribute(number, key, value) for key, value in values.items() if value is not None]
    )


def _attribute(number: int, key: str, value: Any) -> bytes:
    kind = type(value)
    if kind is int or (kind is str and len(value) <= _REPEATED):
        return _scalar(number, key, value)
    if kind is list and len(value) == 1 and len(value[0]) <= _REPEATED:
        return _header(number, key, value[0])
    return message(number, _key(key) + message(2, any_value(value)))


@lru_cache(2_048)
def _key(name: str) -> bytes:
    return text(1, name)


# What is short is mostly the same in the next request: method, route, status, most headers.
@lru_cache(4_096)
def _scalar(number: int, name: str, value: int | str) -> bytes:
    return message(number, _key(name) + message(2, any_value(value)))


@lru_cache(4_096)
def _header(number: int, name: str, line: str) -> bytes:
    return message(number, _key(name) + message(2, any_value([line])))


def any_value(value: Any, depth: int = 0) -> bytes:
    """Write an `AnyValue`: strings, numbers, booleans, lists and mappings; all else as text."""
    if isinstance(value, str):
        return text(1, value)
    if isinstance(value, bool):
        return integer(2, value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return integer(3, value)
    if isinstance(value, float):
        return double(4, value)
    return text(1, str(value)) if depth >= _DEEPEST else _collection(value, depth + 1)


def _collection(value: Any, depth: int) -> bytes:
    if isinstance(value, list):
        return message(5, b"".join([message(1, any_value(item, depth)) for item in value]))
    if isinstance(value, Mapping):
        pairs = (text(1, str(key)) + message(2, any_value(v, depth)) for key, v in value.items())
        return message(6, b"".join(message(1, pair) for pair in pairs))
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return message(5, b"".join(message(1, any_value(item, depth)) for item in value))
    return text(1, str(value))


def envelope(resource: bytes, scopes: Iterable[bytes]) -> bytes:
    """Put what scopes hold into a request of OTLP.

    All three signals have the same numbers here. Requests that are joined are one request.

    Args:
        resource: a `Resource`.
        scopes: as `scope` gives them.
    """
    inner = message(1, resource) + b"".join(message(2, each) for each in scopes)
    return message(1, inner)


def resource_of(request: bytes) -> bytes:
    """Give the `Resource` in a request that `envelope` has made."""
    return _first(_first(request))


def _first(fields: bytes) -> bytes:
    """Give what the first field holds, which is a message."""
    length = shift = 0
    for at, byte in enumerate(fields[1:12], 2):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  the last one of the length
            return fields[at : at + length]
    raise ValueError("no request of OTLP")


def scope(name: str, records: Iterable[bytes], *, version: str = "", schema: str = "") -> bytes:
    """Put records of one scope together: spans, log records or metrics."""
    named = text(1, name) + (text(2, version) if version else b"")
    held = message(1, named) + b"".join(message(2, each) for each in records)
    return held + (text(3, schema) if schema else b"")
