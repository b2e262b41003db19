from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.extensions.beside import Browser, instrumented_in, one_record_each, wrapped_in

GIVEN = "0f3bd1f4b5c64a0c9f0a4e0f2d7c8b9a"


async def tell(request):
    return PlainTextResponse(str(correlation_id.get()))


ROUTES = [Route("/", tell)]


def with_ids(app):
    return CorrelationIdMiddleware(app, generator=lambda: "made", validator=None)


def make() -> Starlette:
    middleware = Middleware(CorrelationIdMiddleware, generator=lambda: "made", validator=None)
    return Starlette(routes=ROUTES, middleware=[middleware])


def talk(browser: Browser):
    return [browser.ask("/", x_request_id=GIVEN), browser.ask("/")]


def check(seen, plain, telemetry):
    assert seen == plain
    assert [one.body.decode() for one in seen] == [GIVEN, "made"]
    assert [one.header("x-request-id") for one in seen] == [GIVEN, "made"]
    assert one_record_each(telemetry, seen)


def test_an_app_that_has_correlation_ids_has_them_beside_us(order, telemetry, instrumentor):
    plain = talk(Browser(make(), "asgi"))
    app = instrumented_in(order, make, instrumentor, telemetry)
    check(talk(Browser(app, "asgi")), plain, telemetry)


def test_correlation_ids_work_within_us_and_around_us(order, telemetry):
    plain = talk(Browser(make(), "asgi"))
    app = wrapped_in(order, Starlette(routes=ROUTES), with_ids, telemetry, "asgi")
    check(talk(Browser(app, "asgi")), plain, telemetry)
