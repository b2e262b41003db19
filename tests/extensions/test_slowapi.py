from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.extensions.beside import Browser, instrumented_in, one_record_each


def make() -> Starlette:
    limiter = Limiter(key_func=get_remote_address, default_limits=["3/hour"])

    @limiter.limit("2/hour")
    async def limited(request):
        return PlainTextResponse("served")

    async def other(request):
        return PlainTextResponse("served too")

    app = Starlette(routes=[Route("/limited", limited), Route("/other", other)])
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
    app.add_middleware(SlowAPIMiddleware)
    return app


def talk(browser: Browser):
    return [browser.ask(path) for path in ("/limited",) * 3 + ("/other",) * 4]


def test_who_asks_too_often_is_answered_429_beside_us(order, telemetry, instrumentor):
    plain = talk(Browser(make(), "asgi"))
    app = instrumented_in(order, make, instrumentor, telemetry)
    seen = talk(Browser(app, "asgi"))
    assert seen == plain
    assert [one.status for one in seen] == [200, 200, 429, 200, 200, 200, 429]
    assert b"Rate limit exceeded" in seen[2].body
    assert one_record_each(telemetry, seen)
