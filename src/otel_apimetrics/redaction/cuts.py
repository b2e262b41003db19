"""The end of a text that was cut, where a secret may have begun."""

import re
from typing import Final

from otel_apimetrics.redaction.escapes import bordered
from otel_apimetrics.redaction.marks import MARK, MARKED

_CUT: Final = re.compile(
    r"""(?:eyJ[\w.-]*|-----BEGIN.*|(?i:\b(?:bearer|basic)) {1,4}\S*"""
    r"""|://[^\s/?#@:"'<>\\]{0,256}:[^\s/?#@"<>]{0,256}"""
    r"""|A(?:KIA|SIA|BIA|CCA)[A-Z2-7]*|gh[pousr]_\w*|github_pat_\w*|gl(?:pat|dt|rt|ptt|soat)-[\w.-]*"""
    r"""|x(?:ox[a-z]|app)-[\w.-]*|hooks\.slack\.com/[\w/-]*|[sr]k[_-][\w-]*|whsec_\S*|AIza[\w-]*"""
    r"""|ya29\.[\w-]*|GOCSPX-[\w-]*|SG\.[\w.-]*|npm_\w*|pypi-[\w-]*|hf_\w*|do[opr]_v1_\w*"""
    r"""|shp(?:at|ca|pa|ss)_\w*|dapi[a-f0-9]*|hv[sbr]\.[\w-]*|AccountKey=\S*"""
    r"""|(?<![\d.])\d(?:[ -]?\d){5,}[ -]?|(?<!\d)\d{3}-\d{1,2}(?:-\d{0,3})?"""
    r"""|(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){2,32}[ -]?)\\?\Z""",
)
_TAIL: Final = 2_048
"""Characters at a cut that are looked at. A longer secret is long enough for its own rule."""
_IS_MARKED: Final = re.compile(r"(?:(?i:bearer|basic) {1,4}|AccountKey=)\[REDACTED\]")
"""What its own rule has masked already, and as much as there was of it."""


def mask_cut_end(text: str) -> str:
    """Replace what may be the beginning of a secret at the end of a text that was cut."""
    start = max(0, len(text) - _TAIL)
    tail = text[start:]
    places = [_begin(read) for read in dict.fromkeys((tail, bordered(tail)))]
    begin = min((place for place in places if place is not None), default=None)
    return text if begin is None else text[: start + begin] + MARK


def _begin(tail: str) -> int | None:
    marks = list(MARKED.finditer(tail)) if "[REDACTED" in tail else []
    # All marks alike: a keyed one has a blank, which would end a secret around it.
    found = _CUT.search(MARKED.sub(MARK, tail) if marks else tail)
    if found is None or _IS_MARKED.fullmatch(found[0]):
        return None
    place = found.start()
    for mark in marks:
        if mark.start() >= place:
            break
        place += len(mark[0]) - len(MARK)
    return place
