"""Bytes to text: byte order mark, declared charset, UTF-8; strict, or nothing.

A charset label comes from a peer. Only charsets that contain ASCII are taken, and UTF-16 and
UTF-32 where the bytes look like them: a JSON body read as EBCDIC or as UTF-16 turns into other
letters, in which redaction finds no password although a reader can turn them back.
"""

import codecs
import re
from encodings.aliases import aliases
from functools import lru_cache

_MARKS = (
    (codecs.BOM_UTF8, "utf_8"),
    # UTF-32's little-endian mark begins with UTF-16's: the longer one is tried first.
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)

_FIRST_BYTES_OF_MARKS = frozenset(mark[0] for mark, _ in _MARKS)
_MARK_STARTS = frozenset(mark[:1] for mark, _ in _MARKS)
_USUAL = frozenset({"", "utf-8"})
"""Labels of nearly every body: it needs no decoder that remembers."""

# Python remembers every name that a codec search did not find, for ever: a label from a
# peer is looked up only when its codec is known to exist.
_CODECS = frozenset(aliases.values()) | {
    *("cp737", "cp874", "koi8_t", "koi8_u", "mac_croatian", "mac_romanian")
}

_SAFE_CODEC = re.compile(
    r"ascii|utf_8|latin_1|iso8859_\d{1,2}|cp125\d|cp437|cp737|cp775|cp85\d|cp86[0-35-9]|cp874"
    r"|cp932|cp949|cp950|koi8_[rtu]|kz1048|ptcp154|tis_620|big5(?:hkscs)?|gb2312|gbk|gb18030"
    r"|mac_(?:croatian|cyrillic|greek|iceland|latin2|roman|romanian|turkish)"
    r"|euc_(?:jp|kr)|shift_jis|johab|utf_(?:16|32)(?:_[bl]e)?"
)


@lru_cache(maxsize=128)
def codec_name(charset: str) -> str | None:
    """Find the Python codec of a charset.

    Args:
        charset: a label in lower case, of at most 40 characters; "" means UTF-8.

    Returns:
        The codec's module name, or `None` where it is unknown, no text encoding (`zip`,
        `rot13`) or one that does not contain ASCII.
    """
    label = (charset or "utf-8").replace("-", "_").replace(".", "_").removeprefix("x_")
    codec = aliases.get(label, label)
    return codec if codec in _CODECS and _SAFE_CODEC.fullmatch(codec) else None


def decode(data: bytes, charset: str, *, whole: bool) -> str | None:
    """Decode a body's bytes strictly.

    Args:
        data: bytes without content coding. A byte order mark goes before the declared
            charset, as in WHATWG's Encoding standard, section 6.
        charset: the declared label in lower case, or "".
        whole: False where the bytes were cut: an incomplete character at their end is dropped.

    Returns:
        The text without its byte order mark, or `None` where the bytes do not fit.
    """
    if whole and charset in _USUAL and data[:1] not in _MARK_STARTS:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return None
    data, codec = _marked(data, charset)
    if codec is None or (codec.startswith(("utf_16", "utf_32")) and not _is_wide(data)):
        return None
    if codec in {"utf_16", "utf_32"}:
        # Without a mark the sender's byte order is where the zero of an ASCII letter is;
        # Python would take the order of this machine.
        codec += "_be" if data[:1] == b"\0" else "_le"
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, whole)
    except UnicodeError:
        return None


def _marked(data: bytes, charset: str) -> tuple[bytes, str | None]:
    if data and data[0] in _FIRST_BYTES_OF_MARKS:
        for mark, codec in _MARKS:
            if data.startswith(mark):
                return data[len(mark) :], codec
    return data, codec_name(charset)


def _is_wide(data: bytes) -> bool:
    # Each structured text has a space, a digit or a bracket: in UTF-16 that is a zero byte.
    return not data or b"\0" in data
