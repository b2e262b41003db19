"""The words that make a name sensitive, and the names that are not for all their words."""

from collections.abc import Iterable
from typing import Final

WHOLE: Final = frozenset(
    [
        "pwd",
        "pass",
        "pin",
        "otp",
        "totp",
        "mfa",
        "sid",
        "sig",
        "signature",
        "nonce",
        "salt",
        "key",
        "access",
        "private",
        "assertion",
        "ticket",
        "dob",
        "auth",
        "pan",
    ]
)
"""Sensitive where they are the whole name."""
ANY: Final = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "secrets",
        "credential",
        "credentials",
        "authorization",
        "authentication",
        "bearer",
        "jwt",
        "saml",
        "cookie",
        "cookies",
        "session",
        "sessionid",
        "sid",
        "phpsessid",
        "jsessionid",
        "csrf",
        "xsrf",
        "csrftoken",
        "xsrftoken",
        "apikey",
        "ssn",
        "nin",
        "cvv",
        "cvc",
        "ccv",
        "csc",
        "iban",
        "token",
        "tokens",
        # Spellings that run two words together.
        "privatekey",
        "creditcard",
        "cardnumber",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "clientsecret",
        "secretkey",
        "sessiontoken",
        "authtoken",
        "mysqlpwd",
    ]
)
"""Sensitive anywhere in a name."""


def _adjacent(left: str, right: str) -> Iterable[tuple[str, str]]:
    return ((first, second) for first in left.split() for second in right.split())


_KEY_OWNERS: Final = (
    "api app access private public secret signing encryption hmac service account client consumer"
    " db master ssh pgp auth"
)
PAIRS: Final = frozenset(
    (
        *_adjacent(_KEY_OWNERS, "key keys"),
        *_adjacent("client", "secret"),
        *_adjacent("card cc", "number num no"),
        *_adjacent("account routing", "number"),
        *_adjacent("credit debit", "card"),
        *_adjacent("social", "security"),
        *_adjacent("tax", "id"),
        *_adjacent("passport", "number"),
        *_adjacent("birth", "date"),
        *_adjacent("security", "answer code"),
        *_adjacent("connection", "string"),
        *_adjacent("set", "cookie"),
        *_adjacent("session", "id"),
        *_adjacent("auth", "token code header"),
    )
)
"""Sensitive where they follow one another in a name."""
KEPT: Final = frozenset(
    [
        "author",
        "authors",
        "authority",
        "monkey",
        "keyboard",
        "key_id",
        "kid",
        "token_type",
        "expires_in",
        "idempotency_key",
        "sort_key",
        "partition_key",
        "primary_key",
        "max_tokens",
        "tokens_used",
        "token_count",
        "prompt_tokens",
        "completion_tokens",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "page_token",
        "next_token",
        "next_page_token",
        "continuation_token",
        "pagination_token",
        "session_count",
        "session_duration",
        "cookie_consent",
        "authenticated",
    ]
)
"""Whole names that are harmless in spite of a word in them."""
