import gzip

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from tests.extensions.beside import Browser, instrumented_in, one_record_each, wrapped_in

TEXT = "0123456789" * 100


async def whole(request):
    return PlainTextResponse(TEXT)


async def stream(request):
    async def chunks():
        for start in range(0, len(TEXT), 250):
            yield TEXT[start : start + 250]

    return StreamingResponse(chunks(), media_type="text/plain")


ROUTES = [Route("/whole", whole), Route("/stream", stream)]


def make() -> Starlette:
    return Starlette(routes=ROUTES, middleware=[Middleware(GZipMiddleware)])


def talk(browser: Browser):
    return [
        browser.ask("/whole", accept_encoding="gzip"),
        browser.ask("/stream", accept_encoding="gzip"),
        browser.ask("/whole"),
    ]


def unzipped(answers):
    """The answers, with the time that a gzip header tells taken out by unpacking."""
    return [
        (one.status, one.headers, gzip.decompress(one.body))
        if one.header("content-encoding")
        else (one.status, one.headers, one.body)
        for one in answers
    ]


def check(seen, plain, telemetry):
    assert unzipped(seen) == unzipped(plain)
    assert [one.header("content-encoding") for one in seen] == ["gzip", "gzip", None]
    assert one_record_each(telemetry, seen)
    for span in telemetry.server_spans:
        assert span.attributes["http.response.body.content"] == TEXT


def test_an_app_that_compresses_does_so_beside_us(order, telemetry, instrumentor):
    plain = talk(Browser(make(), "asgi"))
    app = instrumented_in(order, make, instrumentor, telemetry)
    check(talk(Browser(app, "asgi")), plain, telemetry)


def test_compression_works_within_us_and_around_us(order, telemetry):
    plain = talk(Browser(make(), "asgi"))
    app = wrapped_in(order, Starlette(routes=ROUTES), GZipMiddleware, telemetry, "asgi")
    check(talk(Browser(app, "asgi")), plain, telemetry)
