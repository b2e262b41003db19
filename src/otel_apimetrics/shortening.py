"""How much each reader of a redacted exchange is shown of its bodies.

What is captured is what the most demanding reader wants. The cut comes after the redaction,
which has read all of it: no secret is in what is cut, so no half of one can be left.
"""

from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.content import MOST_TEXT
from otel_apimetrics.exchange import Body, Exchange, evolve
from otel_apimetrics.redaction import MARKED

_AROUND: Final = 64
"""Characters in which a mark ends that begins before a cut."""


def shortened(exchange: Exchange, most: int) -> Exchange:
    """Give the exchange with bodies of at most so much. Never raises.

    It is what a capture of `most` bytes would have shown: a body whose bytes on the wire are no
    more than that keeps the text that its content coding made of them, up to `MOST_TEXT`.

    Args:
        exchange: redacted.
        most: bytes of each body.

    Returns:
        The identical exchange where nothing is longer.
    """
    try:
        request, response = exchange.request, exchange.response
        asked = cut(request.body, _bound(request.body, most))
        if asked is not request.body:
            exchange = evolve(exchange, request=evolve(request, body=asked))
        if response is not None:
            answered = cut(response.body, _bound(response.body, most))
            if answered is not response.body:
                exchange = evolve(exchange, response=evolve(response, body=answered))
    except Exception as error:
        _guard.swallow("shortening", error)
        return _bodiless(exchange)
    return exchange


def cut(body: Body, most: int) -> Body:
    """Cut a redacted body between characters, before a mark and never in it, and say so.

    Args:
        body: redacted.
        most: bytes of its text in UTF-8.

    Returns:
        The identical body where it is no longer.
    """
    content = body.content
    if content is None or len(content) * 4 <= most:
        return body
    end = _end(content, most)
    if end == len(content):
        return body
    for mark in MARKED.finditer(content, max(0, end - _AROUND), end + _AROUND):
        if mark.start() < end < mark.end():
            end = mark.start()
    return evolve(body, content=content[:end], truncated=True)


def _bound(body: Body, most: int) -> int:
    fits = body.size is not None and body.size <= most
    return max(most, MOST_TEXT) if fits else most


def _end(content: str, most: int) -> int:
    """Give how many characters take at most so many bytes."""
    shown = content[: max(most, 0)]
    if shown.isascii():
        return len(shown)
    # Halves of surrogate pairs stand for bytes of multipart that are no UTF-8.
    data = shown.encode("utf-8", "surrogatepass")
    if len(data) <= most:
        return len(shown)
    at = most
    while at and data[at] & 0xC0 == 0x80:  # noqa: PLR2004  RFC 3629: within a character
        at -= 1
    return len(data[:at].decode("utf-8", "surrogatepass"))


def _bodiless(exchange: Exchange) -> Exchange:
    request, response = exchange.request, exchange.response
    return evolve(
        exchange,
        request=evolve(request, body=Body(size=request.body.size, truncated=True)),
        response=response and evolve(response, body=Body(size=response.body.size, truncated=True)),
    )
