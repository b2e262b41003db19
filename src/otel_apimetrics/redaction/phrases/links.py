"""Parameters of OAuth 2.0 in URLs that stand in a text: `code`, and the `state` beside it.

Their names are harmless elsewhere, so what is beside them or their value has to tell.
"""

import re
from collections.abc import Iterator
from typing import Final

from otel_apimetrics.redaction.marks import MARKED
from otel_apimetrics.redaction.names import is_harmless
from otel_apimetrics.redaction.phrases.place import Place

# It begins with the one letter that the engine searches for.
_CODE: Final = re.compile(r"=(?:(?<=[?&#;]code=)|(?<=\\u0026code=)|(?<=\Acode=))", re.IGNORECASE)
_RUN: Final = re.compile(rf"(?:{MARKED.pattern}|[^\s\"'<>`])+")
_PARAMETER: Final = re.compile(
    rf"(?:[?&#;]|\A)([\w.-]{{1,64}})=((?:{MARKED.pattern}|[^&#;\\)\]])*)"
)
_BESIDE: Final = frozenset(
    [
        "authuser",
        "client_id",
        "client_info",
        "code_verifier",
        "grant_type",
        "hd",
        "id_token",
        "iss",
        "redirect_uri",
        "scope",
        "session_state",
        "state",
    ]
)
"""What stands beside an authorization code (RFC 6749, RFC 9207, OpenID Connect)."""
_SHORTEST: Final = 6
"""Letters of a code. A country or a language beside `state` is shorter."""


def suspects(text: str) -> bool:
    """Tell whether a text may hold an authorization code."""
    return "=" in text and _CODE.search(text) is not None


def find(text: str) -> Iterator[Place]:
    """Find codes, and the states beside them."""
    if not suspects(text):
        return
    for run in _RUN.finditer(text):
        if "code=" in run[0].lower():
            yield from _in_run(run[0], run.start())


def _in_run(run: str, at: int) -> Iterator[Place]:
    found = [
        (parameter[1].lower().removeprefix("amp;"), parameter)
        for parameter in _PARAMETER.finditer(run)
    ]
    codes = [parameter for name, parameter in found if name == "code" and parameter[2]]
    beside = any(name in _BESIDE for name, _ in found)
    secret = [
        code
        for code in codes
        if (beside and len(code[2]) >= _SHORTEST) or not is_harmless(_unmarked(code[2]))
    ]
    if secret:
        secret += [parameter for name, parameter in found if name == "state" and parameter[2]]
    for parameter in secret:
        start, end = parameter.span(2)
        if not run.startswith("[REDACTED", start):
            yield Place(at + start, at + end, parameter[1].lower())


def _unmarked(code: str) -> str:
    return MARKED.sub("", code).replace("/", "")
