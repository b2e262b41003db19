"""What names such as `token_type` and `session_timeout` hold: a number, a time, a word of a few.

Such a name tells something about a secret. A value of another kind may be the secret itself.
"""

import re
from collections.abc import Mapping
from typing import Final

_UNIT: Final = (
    r"(?:%|[kKMG]i?[bB]|ms|us|ns|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?|months?"
    r"|years?|tokens?|bits?|bytes?|chars?|characters?|[smhdwy])"
)
_NUMBER: Final = (
    rf"[-+]?[0-9]{{1,24}}(?:[.,][0-9]{{1,24}})?(?:[eE][-+]?[0-9]{{1,3}})?(?: ?{_UNIT})?"
)
_SPAN: Final = rf"(?:[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?{_UNIT}){{2,6}}|-?P[0-9YMWDTHS.,]{{2,32}}"
_CLOCK: Final = r"[0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?"
_ZONE: Final = r" ?(?:Z|UTC|GMT|[-+][0-9]{2}(?::?[0-9]{2})?)"
_DATE: Final = (
    rf"[0-9]{{4}}-[0-9]{{2}}(?:-[0-9]{{2}}(?:[T ]{_CLOCK}(?:{_ZONE})?)?)?"
    r"|(?:[A-Z][a-z]{2,8},? )?[0-9]{1,2} [A-Z][a-z]{2,8} [0-9]{4}"
    rf"(?: {_CLOCK}(?:{_ZONE})?)?"
)
_WORD: Final = (
    r"(?:[a-z]{1,16}(?:[_+-][a-z]{1,16}){0,3}|[A-Z]{1,16}(?:[_-][A-Z]{1,16}){0,3}"
    r"|[A-Z]?[a-z]{1,15}(?:[A-Z][a-z]{2,15}){0,3}|DPoP)"
)
_OAUTH: Final = r"urn:ietf:params:oauth:[a-z0-9_:-]{1,48}"
"""Types of tokens and of grants (RFC 8693, section 3)."""
_AES: Final = r"A(?:128|192|256)"
_ALGORITHM: Final = (
    rf"(?:[REPH]?S|SHA-?)(?:1|224|256|384|512)|ES256K|EdDSA|RSA1_5|RSA-OAEP(?:-256)?|dir"
    rf"|{_AES}(?:KW|GCM|GCMKW|CBC-HS(?:256|384|512))|ECDH-ES(?:\+{_AES}KW)?"
)
"""Of JOSE (RFC 7518), as documents of OpenID Connect Discovery list them."""
_PLACE: Final = r"(?:https?:/)?/[\w./~{}:?&=%+,-]{0,256}"
"""An endpoint. What is secret in a URL, its own rules find."""
_MARK: Final = r"\[REDACTED[^\]\"\n]{0,40}\]"
_ONE: Final = (
    rf"(?:{_NUMBER}|{_SPAN}|{_CLOCK}|{_DATE}|{_WORD}|{_ALGORITHM}|{_OAUTH}|{_PLACE}|{_MARK})"
)

_SETTING: Final = re.compile(rf"{_ONE}?", re.ASCII)
_DIGITS: Final = r"-?[0-9]{1,24}(?:\.[0-9]{1,24})?(?:[eE][-+]?[0-9]{1,3})?"
_JSON: Final = rf"(?:null|true|false|{_DIGITS}|\"{_ONE}?\")"
_IN_JSON: Final = re.compile(
    rf"(?:\[\s*)?\{{\s*(?:[\"'}}\\]|\Z)"
    rf"|(?:{_JSON}|\[\s*(?:{_JSON}\s*(?:,\s*{_JSON}\s*)*)?\])(?=[\s,}}\]]|\Z)",
    re.ASCII,
)


def is_setting(value: object) -> bool:
    """Tell whether a value is one of few: a number, a time, a word; a list of them; an object.

    An object is walked, so that each of its members is judged by its own name.
    """
    if value is None or isinstance(value, (bool, int, float, Mapping)):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        # The pairs of an object are a list, too.
        return all(isinstance(item, tuple) or is_setting(item) for item in value)
    return _SETTING.fullmatch(str(value)) is not None


def opens_setting(text: str, start: int) -> bool:
    """Tell whether JSON text has such a value at a place, or an object or a list of them."""
    return _IN_JSON.match(text, start) is not None
