"""Header fields."""

import re
from collections.abc import Sequence
from typing import Final

from otel_apimetrics.exchange import Headers
from otel_apimetrics.redaction.clean import Clean, Remembered
from otel_apimetrics.redaction.names import SETTING, Names, tokens
from otel_apimetrics.redaction.settings import is_setting
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.urls import Urls

_MASKED: Final = frozenset(
    [
        "www-authenticate",
        "proxy-authenticate",
        "authentication-info",
        "proxy-authentication-info",
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "ocp-apim-subscription-key",
        "sec-websocket-protocol",
        "x-amzn-oidc-data",
        "x-functions-key",
        "x-rapidapi-key",
        "x-zone-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "x-access-token",
        "x-amz-security-token",
        "x-goog-iap-jwt-assertion",
        "x-goog-api-key",
        "x-vault-token",
        "x-gitlab-token",
        "stripe-signature",
        "x-slack-signature",
        "x-signature-ed25519",
        "x-shopify-hmac-sha256",
        "x-twilio-signature",
        "svix-signature",
        "dpop",
        "cf-access-jwt-assertion",
        "x-csrf-token",
        "x-csrftoken",
        "x-xsrf-token",
        "x-forwarded-client-cert",
        "ssl-client-cert",
        "client-cert",
        "client-cert-chain",
        "x-client-cert",
        "set-cookie2",
    ]
)
_MASKED_STARTS: Final = (
    "x-ms-token-aad-",
    "x-ms-client-principal",
    "x-hub-signature",
    "x-session-",
    "x-ssl-client-",
)
SECRET_ENDS: Final = frozenset(
    ["accesskey", "appkey", "auth", "hmac", "key", "sig", "sign", "signature"]
)
"""Last words of the headers in which a vendor takes its key or signs what it sends."""
_PUBLIC_KEYS: Final = frozenset(
    [
        *("cache", "idempotency", "object", "partition", "primary"),
        *("routing", "sort", "surrogate", "websocket"),
    ]
)
"""Words before a last `key` that opens nothing."""
_SCHEMED: Final = frozenset(
    ["authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate"]
)
_SCHEMES: Final = frozenset(
    # IANA's registry of authentication schemes, then those of well-known vendors.
    [
        "basic",
        "bearer",
        "concealed",
        "digest",
        "dpop",
        "gnap",
        "hoba",
        "mutual",
        "negotiate",
        "oauth",
        "privatetoken",
        "scram-sha-1",
        "scram-sha-256",
        "vapid",
        "ntlm",
        "token",
        "apikey",
        "hawk",
        "aws4-hmac-sha256",
        "sharedkey",
    ]
)
_URLS: Final = frozenset(["referer", "location", "content-location"])
_HOSTS: Final = frozenset(["host", "x-forwarded-host"])
_ATTRIBUTES: Final = frozenset(
    [
        "path",
        "domain",
        "expires",
        "max-age",
        "samesite",
        "secure",
        "httponly",
        "partitioned",
        "priority",
    ]
)
_TARGET: Final = re.compile(r"<([^<>]*)(>|\Z)")
_REFRESH: Final = re.compile(r"\s*([0-9.]*)\s*(?:[;,]\s*(?:url\s*=\s*)?|\Z)[\"']?", re.IGNORECASE)
"""Seconds and what stands before the URL (WHATWG HTML, section 4.2.5.3)."""

_PLAIN: Final = 0
_SECRET: Final = 1
_SCHEME: Final = 2
_COOKIE: Final = 3
_SET_COOKIE: Final = 4
_URL: Final = 5
_LINK: Final = 6
_REFRESHED: Final = 7
_HOST: Final = 8
_SETTING: Final = 9
_REMOVED: Final = frozenset({_SECRET, _SCHEME, _COOKIE, _SET_COOKIE})
_KINDS: Final = {
    "cookie": _COOKIE,
    "set-cookie": _SET_COOKIE,
    "link": _LINK,
    "refresh": _REFRESHED,
    **dict.fromkeys(_MASKED, _SECRET),
    **dict.fromkeys(_SCHEMED, _SCHEME),
    **dict.fromkeys(_URLS, _URL),
    **dict.fromkeys(_HOSTS, _HOST),
}


class HeaderFields:
    """Header values, masked by what their names say.

    Args:
        names: the verdicts on names.
        text: the rules for values.
        urls: the rules for headers that hold URLs.
        remove: take a header out of a list instead of masking its value.
    """

    def __init__(self, names: Names, text: FreeText, urls: Urls, *, remove: bool) -> None:
        self._names: Final = names
        self._mark: Final = text.mark
        self._text: Final = text
        self._urls: Final = urls
        self._remove: Final = remove
        self._kinds: Final = Remembered(self._judge)
        self._plain: Final = Clean(urls.component)
        self._url: Final = Clean(urls.url)

    def one(self, name: str, value: str) -> str:
        """Mask one value; the identical one where nothing changed."""
        kind = self._kinds[name]
        return self._plain(value) if kind == _PLAIN else self._special(kind, name, value)

    def all(self, headers: Headers) -> Headers:
        """Mask each value, in order; the identical tuple where nothing changed."""
        kinds, plain, remove = self._kinds, self._plain, self._remove
        known = plain.known
        masked: list[tuple[str, str]] = []
        same = True
        for header in headers:
            name, value = header
            kind = kinds[name]
            if kind == _PLAIN:
                clean = value if value in known else plain(value)
            elif remove and kind in _REMOVED:
                same = False
                continue
            else:
                clean = self._special(kind, name, value)
            if clean == value:
                masked.append(header)
            else:
                same = False
                masked.append((name, clean))
        return headers if same else tuple(masked)

    def _judge(self, name: str) -> int:
        kind = _KINDS.get(name)
        if self._names.is_denied(name):
            return _SECRET
        if self._names.is_allowed(name):
            return kind if kind in (_URL, _LINK, _REFRESHED, _HOST) else _PLAIN
        if kind is not None:
            return kind
        if name.startswith(_MASKED_STARTS) or self._names.is_sensitive(name):
            return _SECRET
        if self._names[name] == SETTING:
            return _SETTING
        return _SECRET if _ends_secret(tokens(name)) else _PLAIN

    def _special(self, kind: int, name: str, value: str) -> str:
        if kind == _SCHEME:
            return self._schemed(name, value)
        if kind in (_COOKIE, _SET_COOKIE):
            return self._cookies(value) if kind == _COOKIE else self._set_cookie(value)
        if kind in (_URL, _HOST):
            return self._url(value) if kind == _URL else self._host(value)
        if kind in (_LINK, _REFRESHED):
            return self._link(value) if kind == _LINK else self._refresh(value)
        if kind == _SETTING and is_setting(value):
            return self._plain(value)
        return self._mark(value, f"header:{name}")

    def _host(self, value: str) -> str:
        """Mask credentials before a host: Werkzeug's server takes it from an absolute target."""
        credentials, at, host = value.rpartition("@")
        return (
            f"{self._mark(credentials, 'value:url_userinfo')}@{host}" if at else self._plain(value)
        )

    def _link(self, value: str) -> str:
        """Mask in the targets, which are URLs, and in the parameters, which are any text."""
        shown: list[str] = []
        done = 0
        for target in _TARGET.finditer(value):
            shown += (self._plain(value[done : target.start()]), "<", self._urls.url(target[1]))
            shown.append(target[2])
            done = target.end()
        return "".join((*shown, self._plain(value[done:])))

    def _refresh(self, value: str) -> str:
        before = _REFRESH.match(value)
        if before is None:
            # No browser reads it, and nobody knows what it is.
            return self._mark(value, "header:refresh") if value else value
        return f"{before[0]}{self._urls.url(value[before.end() :])}"

    def _schemed(self, name: str, value: str) -> str:
        scheme, blank, credentials = value.partition(" ")
        if blank and scheme.lower() in _SCHEMES:
            return f"{scheme} {self._mark(credentials, f'header:{name}')}"
        return self._mark(value, f"header:{name}")

    def _cookies(self, value: str) -> str:
        return "; ".join(map(self._cookie, value.split("; ")))

    def _cookie(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals:
            return self._mark(pair, "cookie:") if pair.strip() else pair
        shown = self._plain(name)
        return f"{shown}={self._mark(value, f'cookie:{name}') if value else value}"

    def _set_cookie(self, value: str) -> str:
        first, *attributes = value.split(";")
        masked = map(self._attribute, attributes)
        return ";".join((self._cookie(first), *masked))

    def _attribute(self, attribute: str) -> str:
        name, equals, value = attribute.partition("=")
        if name.strip().lower() not in _ATTRIBUTES:
            return self._cookie(attribute)
        return f"{name}{equals}{self._plain(value)}"


def _ends_secret(words: Sequence[str]) -> bool:
    if not words or words[-1] not in SECRET_ENDS:
        return False
    return words[-1] != "key" or _PUBLIC_KEYS.isdisjoint(words)
