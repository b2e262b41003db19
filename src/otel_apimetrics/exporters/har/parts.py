"""The fields of a recorded multipart form (RFC 7578)."""

import re
from typing import Final

_BOUNDARY: Final = re.compile(
    r";\s*boundary=(?:\"([^\"]{1,70})\"|([^\s;,\"]{1,70}))", re.IGNORECASE
)
_BLANK_LINE: Final = re.compile(r"\r?\n\r?\n")
_NAME: Final = re.compile(r";\s*name=\"((?:[^\"\\]|\\.)*)\"", re.IGNORECASE)
_FILE_NAME: Final = re.compile(r";\s*filename=\"((?:[^\"\\]|\\.)*)\"", re.IGNORECASE)
_TYPE: Final = re.compile(r"^content-type:\s*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


def params_of(content: str, content_type: str) -> list[dict[str, str]] | None:
    """Read the parts.

    Args:
        content: redacted: in the place of a file's bytes stands a note of type and size.
        content_type: the header, with the boundary.

    Returns:
        For each part `name` and `value`, for files `fileName` and `contentType` too; `None` where
        there is no boundary or nothing between two.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        return None
    boundary = re.escape(f"--{found[1] or found[2]}")
    pieces = re.split(rf"(?:\A|\r?\n){boundary}", content)[1:]
    return [param for piece in pieces if (param := _param(piece)) is not None] or None


def _param(piece: str) -> dict[str, str] | None:
    head, *values = _BLANK_LINE.split(piece, maxsplit=1)
    name = _NAME.search(head)
    if not values or name is None:
        return None
    param = {"name": _unescaped(name[1]), "value": values[0]}
    file_name, kind = _FILE_NAME.search(head), _TYPE.search(head)
    if file_name is not None:
        param["fileName"] = _unescaped(file_name[1])
        param["contentType"] = kind[1].strip() if kind else "application/octet-stream"
    return param


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
