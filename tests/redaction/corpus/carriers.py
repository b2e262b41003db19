"""Where a secret travels: each carrier as it is before and after redaction."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote, quote_plus, unquote_plus

from otel_apimetrics.redaction import Redactor
from tests.redaction.corpus.kind import Kind

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""
_JOINED: Final = re.compile("[a-z][A-Z]")
_PLAIN: Final = re.compile(r"[\w.+/=$-]+")
_CODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPE: Final = re.compile(r"\\([nrt\"/\\])")
_SHOWN: Final = re.compile(r"[^\w+/=-]|\\")
_PIECE: Final = 8
"""Letters of a secret in a row that give it away; of a shorter one, all."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One secret in one carrier."""

    carrier: str
    name: str
    """What it stands under; "" where its shape alone tells it."""
    hidden: str
    before: str
    after: str | None
    """What left the process; `None`: nothing did."""

    @property
    def leaks(self) -> bool:
        """Tell whether a piece of the secret is in what left the process."""
        return shows(self.after or "", self.hidden)


def shows(seen: str, hidden: str) -> bool:
    """Tell whether a text shows a piece of a secret, however it is escaped."""
    secret, plain = _letters(hidden), _letters(seen)
    last = max(1, len(secret) - _PIECE + 1)
    return any(secret[start : start + _PIECE] in plain for start in range(last))


def _letters(escaped: str) -> str:
    # A plus is a blank in a form and a letter of Base64 elsewhere: neither tells a secret.
    decoded = _CODE.sub(lambda code: chr(int(code[1], 16)), unquote_plus(escaped))
    decoded = _ESCAPE.sub(lambda found: found[1] if found[1] in '"/\\' else " ", decoded)
    return _SHOWN.sub("", decoded).replace("+", "")


def carry(kind: Kind, redactor: Redactor, seed: int) -> Iterator[Carried]:
    """Send one secret of a kind through every carrier that it can have."""
    secret = kind.make(Random(f"{kind.name} {seed}"))
    hidden = kind.hidden(secret)
    places = kind.places
    for spell in kind.spellings if places.by_value else ():
        spelled = spell(secret)
        for carrier, before, redact in _anywhere(spelled, redactor):
            yield Carried(carrier, "", spell(hidden), before, redact(before))
    for name in places.names:
        for carrier, before, redact in _under(name, secret, redactor):
            yield Carried(carrier, name, hidden, before, redact(before))
    for name in (*places.names, *places.parameters):
        for carrier, before, redact in _parameters(name, secret, redactor):
            yield Carried(carrier, name, hidden, before, redact(before))
    for name in places.headers:
        yield _header(name, secret, hidden, redactor)
    for name in (*places.names, *places.cookies):
        if _FIELD_NAME.fullmatch(name) and _PLAIN.fullmatch(secret):
            yield from _cookies(name, secret, hidden, redactor)


_Row = tuple[str, str, Callable[[str], str | None]]


def _bodies(redactor: Redactor, media_type: str) -> Callable[[str], str | None]:
    return lambda body: redactor.body(body, media_type)


def _note(redactor: Redactor) -> Callable[[str], str]:
    return lambda value: redactor.header("x-note", value)


def _anywhere(secret: str, redactor: Redactor) -> Iterator[_Row]:
    body = _bodies(redactor, _JSON)
    sentence = f"It failed with {secret}, at the second try."
    document = json.dumps({"id": 7, "note": secret, "total": 1.5})
    yield "JSON member", document, body
    yield "JSON with slashes escaped", document.replace("/", "\\/"), body
    yield (
        "JSON with signs escaped",
        document.replace("+", "\\u002B").replace("=", "\\u003d").replace("&", "\\u0026"),
        body,
    )
    yield "JSON list", json.dumps({"notes": ["a", secret]}, indent=2), body
    yield "JSON sentence", json.dumps({"message": sentence}), body
    yield "JSON name of a member", json.dumps({"seen": {secret: 3}}), body
    yield "JSON in a JSON string", json.dumps({"payload": json.dumps({"note": secret})}), body
    yield "broken JSON", json.dumps({"note": secret})[:-1], body
    yield (
        "cut JSON",
        json.dumps({"note": secret})[:-2],
        lambda cut: redactor.body(cut, _JSON, truncated=True),
    )
    yield (
        "NDJSON",
        '{"a":1}\n' + json.dumps({"note": secret}) + "\n",
        _bodies(redactor, "application/x-ndjson"),
    )
    yield (
        "server-sent event",
        "event: note\ndata: " + json.dumps({"note": secret}) + "\n\n",
        _bodies(redactor, "text/event-stream"),
    )
    yield "plain text", sentence, _bodies(redactor, "text/plain")
    yield "query", f"page=2&q={quote(secret, safe='')}&sort=asc", redactor.query
    yield "form", f"page=2&q={quote_plus(secret)}", _bodies(redactor, _FORM)
    yield "path", f"/reset/{quote(secret, safe='')}/done", redactor.path
    if "\n" not in secret:
        yield "header", secret, _note(redactor)
        yield "header sentence", sentence, _note(redactor)


def _under(name: str, secret: str, redactor: Redactor) -> Iterator[_Row]:
    body = _bodies(redactor, _JSON)
    document = json.dumps({"id": 7, name: secret, "note": "two"})
    yield "JSON member", document, body
    yield "JSON member, indented", json.dumps({"id": 7, name: secret}, indent=2), body
    yield (
        "JSON member, nested",
        json.dumps({"data": [{"attributes": {name: secret, "ok": True}}]}, ensure_ascii=False),
        body,
    )
    yield "JSON member with a list", json.dumps({name: [secret]}), body
    yield "JSON member with an object", json.dumps({name: {"current": secret}}), body
    if secret.isdigit() and not secret.startswith("0"):
        yield "JSON member with a number", json.dumps({name: int(secret)}), body
    yield "JSON pair of name and value", json.dumps([{"name": name, "value": secret}]), body
    yield "JSON in a JSON string", json.dumps({"payload": document}), body
    yield "broken JSON", document[:-1], body
    yield (
        "cut JSON",
        document[: document.index(', "note"') - 1],
        lambda cut: redactor.body(cut, _JSON, truncated=True),
    )
    yield "NDJSON", f'{{"a":1}}\n{document}\n', _bodies(redactor, "application/x-ndjson")
    yield "server-sent event", f"data: {document}\n\n", _bodies(redactor, "text/event-stream")
    yield "quoted in text", f'It had {name}="{secret}" in it.', _bodies(redactor, "text/plain")
    if _PLAIN.fullmatch(secret):
        yield "assigned in text", f"It had {name}={secret} in it.", _bodies(redactor, "text/plain")
        yield (
            "assigned in a JSON string",
            json.dumps({"message": f"It had {name}: {secret} in it."}),
            body,
        )
    if "[" not in name:
        pair = f"user%5B{quote_plus(name)}%5D={quote_plus(secret)}"
        yield "form with brackets", pair, _bodies(redactor, _FORM)
    # A header field is in lower case, so that a name of joined words would be another name.
    if _FIELD_NAME.fullmatch(name) and not _JOINED.search(name) and secret.isascii():
        yield "header", secret, lambda value: redactor.header(name.lower(), value)


def _parameters(name: str, secret: str, redactor: Redactor) -> Iterator[_Row]:
    form = _bodies(redactor, _FORM)
    pair = f"{quote_plus(name)}={quote_plus(secret)}"
    yield "query", f"page=2&{pair}&sort=asc", redactor.query
    yield "form", pair, form
    yield "form, last of all", f"page=2&{pair}", form


def _header(name: str, secret: str, hidden: str, redactor: Redactor) -> Carried:
    headers = (("accept", "*/*"), (name, secret), ("x-request-id", "7"))
    after = json.dumps(redactor.headers(headers))
    return Carried("header", name, hidden, json.dumps(headers), after)


def _cookies(name: str, secret: str, hidden: str, redactor: Redactor) -> Iterator[Carried]:
    cookie = f"theme=dark; {name}={secret}"
    yield Carried("cookie", name, hidden, cookie, redactor.header("cookie", cookie))
    cookie = f"{name}={secret}; Path=/; HttpOnly"
    yield Carried("set-cookie", name, hidden, cookie, redactor.header("set-cookie", cookie))
