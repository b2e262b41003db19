"""How ReadMe names an API key that it must not know: by its digest and its end."""

import re
from base64 import b64encode
from hashlib import sha512
from typing import Final

_MASKED: Final = re.compile(r"sha512-[A-Za-z0-9+/]{86}==\?.{0,4}", re.DOTALL)


def is_masked_key(text: str) -> bool:
    """Tell whether a text has the form that `mask_key` gives."""
    return _MASKED.fullmatch(text) is not None


def mask_key(key: str) -> str:
    """Give the digest of a key and its last four characters.

    ReadMe compares it with the keys that your webhook tells it, and so shows developers their own
    requests: use it as the consumer's id where you know the key. A short key is told by its end.

    Args:
        key: an API key, or what this function gave already, which stays.

    Returns:
        `sha512-<Base64>?<last four>`.
    """
    if is_masked_key(key):
        return key
    digest = b64encode(sha512(key.encode("utf-8", "replace")).digest()).decode("ascii")
    return f"sha512-{digest}?{key[-4:]}"
