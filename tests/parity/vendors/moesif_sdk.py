"""Moesif's own middlewares: moesifwsgi and moesifasgi."""

from typing import Any


def install(app: Any, framework: str, url: str) -> Any:
    settings: dict[str, Any] = {
        "APPLICATION_ID": "application",
        "BASE_URI": url,
        "CAPTURE_OUTGOING_REQUESTS": False,
        "LOG_BODY": True,
        "EVENT_BATCH_TIMEOUT": 1,
        "DEBUG": False,
    }
    if framework == "flask":
        from moesifwsgi import MoesifMiddleware

        settings["IDENTIFY_USER"] = lambda _app, environ, _headers: environ.get("HTTP_X_CONSUMER")
        app.wsgi_app = MoesifMiddleware(app.wsgi_app, settings)
        return app
    from moesifasgi import MoesifMiddleware

    async def identify(request: Any, _response: Any) -> Any:
        return request.headers.get("x-consumer")

    settings["IDENTIFY_USER"] = identify
    app.add_middleware(MoesifMiddleware, settings=settings)
    return app
