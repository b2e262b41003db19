"""Where else than in bodies a request or an answer carries secrets."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, quote_plus

from tests.e2e.canaries.fill import PLAIN, Fill, compact

_LONGEST: Final = 240
"""Characters of an id that are kept are 256: a secret behind these is cut."""
_MOST_MESSAGE: Final = 4_096
_MOST_STACK: Final = 32_768
_MEMBER: Final = re.compile(r"[!-+\-.-<>-~]{1,200}")
_LABEL: Final = re.compile(r"[a-z0-9._-]{1,60}")


def _one_line(secret: str) -> bool:
    return "\n" not in secret and "\r" not in secret


def path(fill: Fill) -> None:
    fill.at("path")
    secret = fill.value(_one_line)
    if secret:
        fill.step.path = f"/notes/{fill.word()}/{quote(secret, safe='')}/done"


def query(fill: Fill) -> None:
    pairs = fill.at("query").parameters()
    if pairs:
        fill.step.query = _query(fill, pairs[-3:] if fill.kind.places.by_value else pairs)


def _query(fill: Fill, pairs: list[tuple[str, str]]) -> str:
    fields = [("page", "2"), ("word", fill.word()), *pairs, ("sort", "asc")]
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields)


def _fields(fill: Fill) -> list[tuple[str, str]]:
    found = [
        *fill.named(fill.header_names()),
        *fill.named(fill.kind.places.headers),
    ]
    for name in ("x-note", "x-remark"):
        secret = fill.value(_one_line)
        if secret:
            sentence = f"It failed with {secret}, at the second try."
            found.append((name, secret if name == "x-note" else sentence))
    return found


def request_headers(fill: Fill) -> None:
    fields = _fields(fill.at("request header"))
    if fields:
        fill.step.headers += [("X-Word", fill.word()), *fields]


def response_headers(fill: Fill) -> None:
    fields = _fields(fill.at("response header"))
    if fields:
        fill.step.answer.setdefault("headers", []).extend([("X-Word", fill.word()), *fields])


def _jar(fill: Fill) -> list[tuple[str, str]]:
    found = fill.named(fill.cookie_names(), PLAIN)
    secret = fill.value(lambda spelled: PLAIN.fullmatch(spelled) is not None)
    return [*found, ("note", secret)] if secret else found


def cookies(fill: Fill) -> None:
    jar = _jar(fill.at("cookie"))
    if jar:
        # The names of cookies are told, their values never.
        line = "; ".join(f"{name}={value}" for name, value in [(fill.word(), "1"), *jar])
        fill.step.headers.append(("Cookie", line))


def set_cookies(fill: Fill) -> None:
    for name, secret in _jar(fill.at("Set-Cookie")):
        line = f"{name}={secret}; Path=/{fill.word()}; HttpOnly"
        fill.step.answer.setdefault("headers", []).append(("Set-Cookie", line))


def challenge(fill: Fill) -> None:
    """All of a challenge is masked, so its word stands in the header beside it."""
    fill.at("WWW-Authenticate")
    plain = [(n, s) for n, s in fill.named(fill.header_names()) if '"' not in s]
    secret = fill.value(_one_line)
    if secret:
        plain.append(("note", secret))
    if plain:
        parameters = ", ".join(f'{name}="{value}"' for name, value in plain)
        fill.step.answer.setdefault("headers", []).extend(
            [("WWW-Authenticate", f"Bearer {parameters}"), ("X-Beside", fill.word())]
        )


def _address(fill: Fill) -> str | None:
    pairs = [(n, s) for n, s in fill.parameters() if _one_line(s)]
    if not pairs:
        return None
    return f"https://shop.example/{fill.word()}?{_query(fill, pairs)}"


def referer(fill: Fill) -> None:
    address = _address(fill.at("Referer"))
    if address:
        fill.step.headers.append(("Referer", address))


def location(fill: Fill) -> None:
    address = _address(fill.at("Location"))
    if address:
        fill.step.answer.setdefault("headers", []).append(("Location", address))


def link(fill: Fill) -> None:
    address = _address(fill.at("Link"))
    if address:
        line = f'<{address}>; rel="next"'
        fill.step.answer.setdefault("headers", []).append(("Link", line))


def user_agent(fill: Fill) -> None:
    fill.at("user agent")
    said = [text for text in fill.sentences() if _one_line(text)]
    if said:
        fill.step.headers.append(("User-Agent", f"shop/1.0 {fill.word()} {' '.join(said)}"))


def identity(fill: Fill) -> None:
    """The header that the configuration takes the consumer from."""
    secret = fill.at("consumer's header").value(_one_line)
    if secret:
        fill.step.headers += [("X-Client", secret), ("X-Beside", fill.word())]


def calls(fill: Fill) -> None:
    """What the app says about the request: consumer, labels, metadata."""
    fill.at("consumer")
    say: dict[str, object] = {}
    for name in ("id", "name", "email", "group", "company", "company_name", "session", "tier"):
        secret = fill.value()
        if secret:
            say[name] = secret
    if say:
        say["name"] = f"{fill.word()} {say['name']}"
    fill.at("label")
    say["labels"] = [*fill.pairs(), ("word", fill.word())]
    fill.at("metadata")
    found = dict(fill.pairs())
    inside = {"in": [dict(fill.pairs())], "said": fill.sentences(), "word": fill.word()}
    say["metadata"] = {**found, "more": inside}
    fill.step.answer["say"] = say


def long_identity(fill: Fill) -> None:
    """A secret that the end of an id cuts: what is left no rule would know whole."""
    secret = fill.at("cut consumer's header").value(_one_line)
    if secret:
        lead = fill.word()
        pad = "x" * (_LONGEST - len(lead) - 2)
        fill.step.headers.append(("X-Client", f"{lead} {pad} {secret}"))


def exception(fill: Fill) -> None:
    said = fill.at("exception").sentences()
    if said:
        fill.step.status = 500
        fill.step.answer["raise"] = f"{fill.word()}: {' '.join(said)}"
        fill.at("cause of an exception")
        fill.step.answer["cause"] = f"{fill.word()}: {' '.join(fill.sentences())}"
        fill.at("exception of a child span")
        fill.step.answer["child"] = f"{fill.word()}: {' '.join(fill.sentences())}"
        fill.at("status description")
        fill.step.answer["status"] = f"{fill.word()}: {' '.join(fill.sentences())}"


def cut_exception(fill: Fill) -> None:
    """Secrets that the limits of a message and of a stack cut."""
    sentences = fill.at("cut exception").sentences()
    if not sentences:
        return
    fill.step.status = 500
    sentence = sentences[fill.turn % len(sentences)]
    lead = fill.word()
    kept = fill.random.randint(len(sentence) // 3, len(sentence) - 2)
    head = f"{lead}{'.' * (_MOST_MESSAGE - len(lead) - kept - 1)} {sentence}"
    tails = fill.sentences()
    tail = tails[fill.turn % len(tails)]
    # The last characters of a stack are kept: "\n" ends it.
    kept = fill.random.randint(len(tail) // 3, len(tail) - 2)
    rest = "." * (_MOST_STACK - kept - 1 - len(lead) - 1)
    fill.step.answer["raise"] = f"{head}\n{tail}{rest} {lead}"


def validation(fill: Fill) -> None:
    """Input that is refused, as FastAPI answers it: it quotes what it refuses."""
    pairs = fill.at("validation error").pairs()
    if not pairs:
        return
    fill.step.status = 422
    document = {"word": fill.word(), **dict(pairs)}
    checked = fill.at("validation message").pairs()
    said = [(name, f"{fill.word()}: {name}={secret!r} is refused") for name, secret in checked]
    fill.step.answer["refuse"] = {"parsed": list(document), "checked": said}
    fill.step.body = compact({**document, "checked": dict.fromkeys(dict(checked), "x")}).encode()
    fill.step.headers.append(("Content-Type", "application/json"))


def unmatched(fill: Fill) -> None:
    """A path without a route, after which some instrumentations name their spans."""
    secret = fill.at("path without a route").value()
    if secret:
        fill.step.path = f"/nowhere/{fill.word()}/{quote(secret, safe='')}"
        fill.step.status = 404


def baggage(fill: Fill) -> None:
    """Context that is passed on from service to service (W3C Baggage)."""
    secret = fill.at("baggage").value(lambda spelled: PLAIN.fullmatch(spelled) is not None)
    if secret:
        fill.step.headers.append(("Baggage", f"word={fill.word()},note={quote(secret)}"))


def trace_state(fill: Fill) -> None:
    """Entries of other vendors, which a span passes on (W3C Trace Context, 3.3.1.3.2)."""
    secret = fill.at("tracestate").value(lambda spelled: _MEMBER.fullmatch(spelled) is not None)
    if secret:
        fill.step.headers.append(("Tracestate", f"word={fill.word()},note={secret}"))


def host(fill: Fill) -> None:
    """A name of lower-case letters and digits: servers and frameworks change others."""
    secret = fill.at("Host").value(lambda spelled: _LABEL.fullmatch(spelled) is not None)
    if secret:
        fill.step.headers += [("Host", f"{secret}.shop.example"), ("X-Beside", fill.word())]


Place = Callable[[Fill], None]
