"""Apitally's own SDK of the generation that speaks OTLP (1.0.0)."""

import os
from typing import Any


class Identify:
    """Tells the consumer by a header, inside of the SDK's middleware."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        import apitally

        consumer = dict(scope.get("headers", ())).get(b"x-consumer")
        if consumer:
            apitally.set_consumer(consumer.decode())
        await self.app(scope, receive, send)


def install(app: Any, framework: str, url: str) -> Any:
    os.environ["APITALLY_OTLP_ENDPOINT"] = url
    import apitally

    if framework == "flask":
        from flask import request

        @app.before_request
        def identify() -> None:
            if request.headers.get("X-Consumer"):
                apitally.set_consumer(request.headers["X-Consumer"])
    else:
        app.add_middleware(Identify)
    apitally.init(
        app,
        write_token="apt_" + "a" * 24,
        env="dev",
        capture_request_headers=True,
        capture_request_body=True,
        capture_response_headers=True,
        capture_response_body=True,
    )
    return app
