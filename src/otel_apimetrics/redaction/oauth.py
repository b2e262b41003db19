"""Authorization codes of OAuth 2.0 as members of JSON: what is beside `code` tells its sense.

A request for a token (RFC 6749, section 4.1.3) has `grant_type` and `redirect_uri`; an answer that
an app hands on has `state`. The code of a product, an error or a country has neither.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_apimetrics.redaction.marks import Marker
from otel_apimetrics.redaction.names import is_harmless, tokens
from otel_apimetrics.redaction.phrases.place import Place, written

_SURE: Final = frozenset(["client_secret", "code_verifier", "grant_type", "redirect_uri"])
_UNSURE: Final = frozenset(["client_id", "session_state"])
_SHORTEST: Final = 6
"""Characters of a code beside what other requests have as well."""
_WORDS: Final = re.compile(r"[A-Za-z _-]*")
"""A state of an order, or of a country."""
_END: Final = r"(?:\\*\"|\n|\Z)"
_CODE: Final = re.compile(rf"\"code{_END}", re.IGNORECASE)
_SURE_NAME: Final = r"\"(?:client_?secret|code_?verifier|grant_?type|redirect_?uri)"
_BESIDE: Final = re.compile(
    rf"(?:{_SURE_NAME}|\"(?:client_?id|(?:session_?)?state)){_END}", re.IGNORECASE
)
_SURELY_BESIDE: Final = re.compile(rf"{_SURE_NAME}{_END}", re.IGNORECASE)
_MEMBER: Final = re.compile(
    r"\"code\\{0,15}\"\s{0,64}:\s{0,64}(\\{0,15}\")(?!\[REDACTED|\\{0,15}\")[^\"\\]*", re.IGNORECASE
)

SIGN: Final = r"\"(?i:code)\\*\"\s*:\s*\\*\""
"""For the first look, with re2: points at whatever is masked here."""

_Pairs = Sequence[tuple[str, Any]]


def suspects(text: str) -> bool:
    """Tell whether a JSON text, or the names in one, may hold a code; cheap."""
    return "ode" in text and _CODE.search(text) is not None and _BESIDE.search(text) is not None


def secrets_of(pairs: _Pairs) -> frozenset[str]:
    """Give the names of an object's members that are masked: of its code, and its state."""
    spelled = {key: "_".join(tokens(key)) for key, _ in pairs}
    code = next((member for key, member in pairs if spelled[key] == "code"), None)
    around = {spelled[key]: member for key, member in pairs}
    # A number of JSON is a kind of text in the walk, and the code of an error.
    if type(code) is not str or not code or not _is_code(code, around):
        return frozenset()
    return frozenset(key for key in spelled if spelled[key] in ("code", "state"))


def _is_code(code: str, around: Mapping[str, Any]) -> bool:
    if not _SURE.isdisjoint(around):
        return True
    state = around.get("state")
    if isinstance(state, str) and not _WORDS.fullmatch(state):
        return len(code) >= _SHORTEST
    beside = isinstance(state, str) + len(_UNSURE.intersection(around))
    if beside > 1:
        return len(code) >= _SHORTEST
    return beside == 1 and not is_harmless(code.replace("/", ""))


def scrub(text: str, mark: Marker) -> str:
    """Mask each code in JSON text that does not parse, or in a message, beside a sure sign."""
    if "ode" not in text or not _CODE.search(text) or not _SURELY_BESIDE.search(text):
        return text
    found = _MEMBER.finditer(text)
    return written(text, (Place(one.end(1), one.end(), "code") for one in found), mark)
