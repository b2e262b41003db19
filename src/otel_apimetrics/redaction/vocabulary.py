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
        "passwords",
        "otp",
        "totp",
        "psk",
        "hmac",
        "mnemonic",
        "nino",
        "birthdate",
        "magstripe",
        # Password in other languages.
        "passwort",
        "kennwort",
        "wachtwoord",
        "senha",
        "contraseña",
        "contrasena",
        "motdepasse",
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
        "userpass",
        "dbpass",
        "requirepass",
        "privkey",
        "ccnumber",
        "ccnum",
        "cardno",
        "pinblock",
        "passkey",
        "authkey",
        "apikeys",
        "creds",
        "relaystate",
    ]
)
"""Sensitive anywhere in a name."""


def _adjacent(left: str, right: str) -> Iterable[tuple[str, str]]:
    return ((first, second) for first in left.split() for second in right.split())


_KEY_OWNERS: Final = (
    "api app access private public secret signing encryption hmac service account client consumer"
    " db master ssh pgp auth application subscription license storage shared preshared priv login"
    " webhook enc aes merchant"
)
PAIRS: Final = frozenset(
    (
        *_adjacent(_KEY_OWNERS, "key keys"),
        *_adjacent("client", "secret"),
        *_adjacent("card cc", "number num no"),
        *_adjacent("account routing acct", "number no"),
        *_adjacent("card user new old atm", "pin"),
        *_adjacent("card", "pan"),
        *_adjacent("pin", "block"),
        *_adjacent("pass", "hash key"),
        *_adjacent("reset magic", "link"),
        *_adjacent("relay", "state"),
        *_adjacent("sess", "id"),
        *_adjacent("track", "data"),
        *_adjacent("verification", "value code"),
        *_adjacent("time factor sms mfa device", "code"),
        *_adjacent("recovery backup", "code codes phrase"),
        *_adjacent("seed", "phrase"),
        *_adjacent("code oauth", "verifier"),
        *_adjacent("pass", "phrase code word"),
        *_adjacent("de", "passe"),
        *_adjacent("of", "birth"),
        *_adjacent("national", "id insurance"),
        *_adjacent("driver drivers driving", "license licence"),
        *_adjacent("question", "answer"),
        *_adjacent("client", "assertion"),
        *_adjacent("amz goog oauth webhook", "signature"),
        *_adjacent("credit debit", "card"),
        *_adjacent("social", "security"),
        *_adjacent("tax", "id identification"),
        *_adjacent("passport", "number no"),
        *_adjacent("birth", "date"),
        *_adjacent("security", "answer code"),
        *_adjacent("connection", "string strings"),
        *_adjacent("set", "cookie"),
        *_adjacent("session", "id"),
        *_adjacent("auth", "token code header"),
    )
)
"""Sensitive where they follow one another in a name."""
HOMONYMS: Final = frozenset(
    ["access", "key", "nonce", "pan", "private", "salt", "signature", "ticket"]
)
"""Whole names that are often harmless: the key of an issue, salt in a dish. Their value decides."""
ENDS: Final = ("password", "passwd", "passphrase", "apikey", "token")
"""Sensitive at the end of a word: names in one piece, such as `csrfmiddlewaretoken`."""
_ABOUT_WORDS: Final = (
    "age at check company count duration endpoint enabled expiration expires expiry label length"
    " lifetime minutes placeholder policy prevention required scanning seconds supported timeout"
    " ttl type"
)
ABOUT: Final = frozenset(_ABOUT_WORDS.split())
"""Last words of names that tell something about a secret and not the secret."""
_COUNTED_WORDS: Final = (
    "accepted audio billed budget cache cached candidates completion image input limit max"
    " min num output per prediction prompt ratelimit reasoning rejected remaining text"
    " thinking total trained used token"
)
COUNTED: Final = frozenset(_COUNTED_WORDS.split())
"""Words beside which `tokens` are pieces of text that are counted."""
KEPT: Final = frozenset(
    [
        "access_control_allow_credentials",
        "prev_page_token",
        "previous_page_token",
        "sync_token",
        "next_sync_token",
        "next_continuation_token",
        "account_sid",
        "messaging_service_sid",
        "secret_scanning_push_protection",
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
SETTINGS: Final = frozenset(
    [
        "access_control_allow_credentials",
        "secret_scanning_push_protection",
        "token_type",
        "expires_in",
        "max_tokens",
        "tokens_used",
        "token_count",
        "prompt_tokens",
        "completion_tokens",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "session_count",
        "session_duration",
        "cookie_consent",
    ]
)
"""Those of them that hold a number or a word, as names with a last word in `ABOUT` do."""
