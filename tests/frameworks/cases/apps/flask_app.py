"""The app in Flask."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    copy_current_request_context,
    request,
    send_file,
)
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.frameworks.cases.apps import answers, below_twice, wsgi
from tests.frameworks.cases.apps.answers import ANSWERS, Answer, HandledError


def said(answer: Answer) -> Response:
    body = answer.body if answer.chunks is None else answer.chunks()
    response = Response(body, status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.lines:
        response.headers.add(name, value)
    return response


def build(_framework: str) -> Any:
    app = Flask("cases")
    _add_bodies(app)
    _add_errors(app)
    _add_others(app)
    app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, {"/odd": wsgi.odd, "/twice": below_twice.call_wsgi}
    )
    return app


def _add_bodies(app: Flask) -> None:
    @app.post("/echo")
    def echo() -> Any:
        return said(answers.echoed(request.get_data(), request.headers.get("Content-Type")))

    @app.post("/count")
    def count() -> Any:
        size = 0
        while piece := request.stream.read(65536):
            size += len(piece)
        return said(answers.counted(size))

    @app.post("/part")
    def part() -> Any:
        return said(answers.counted(len(request.stream.read(4))))

    @app.post("/ignore")
    def ignore() -> Any:
        return said(answers.IGNORED)

    @app.post("/refuse")
    def refuse() -> Any:
        return said(answers.TOO_EARLY)


def _add_errors(app: Flask) -> None:
    @app.get("/raise/<name>")
    def raising(name: str) -> Any:
        answers.raise_(name)

    @app.get("/abort")
    def aborted() -> Any:
        abort(403)

    @app.errorhandler(HandledError)
    def handled(error: HandledError) -> Any:
        return said(answers.HANDLED)


def _add_others(app: Flask) -> None:
    @app.get("/text")
    def text() -> Any:
        return said(answers.PLAIN_TEXT)

    @app.get("/say/<name>")
    def say(name: str) -> Any:
        return said(ANSWERS[name])

    @app.get("/caller/<name>")
    def caller(name: str) -> Any:
        # From another thread, with the request's context taken along.
        import contextvars
        from threading import Thread

        found: list[Answer] = []
        work = copy_current_request_context(lambda: found.append(answers.caller(name)))
        thread = Thread(target=contextvars.copy_context().run, args=(work,))
        thread.start()
        thread.join()
        return said(found[0])

    @app.get("/file")
    def file() -> Any:
        response = send_file(answers.FILE, mimetype="text/plain", conditional=True)
        response.headers.add(*answers.MARK)
        return response

    @app.get("/after")
    def after() -> Any:
        response = said(Answer(b"before"))
        response.call_on_close(answers.background)
        return response

    @app.get("/clock")
    def clock() -> Any:
        return said(answers.set_clock_back())

    @app.get("/health")
    def health() -> Any:
        return said(answers.HEALTHY)

    @app.get("/reset/<token>")
    def reset(token: str) -> Any:
        return said(Answer(b"reset"))

    items = Blueprint("items", __name__)

    @items.get("/items/<int:number>")
    def item(number: int) -> Any:
        return said(answers.item(number))

    app.register_blueprint(items)
    app.register_blueprint(items, url_prefix="/api/v1", name="inner")
