from wsgiref.util import FileWrapper

import pytest
from flask import Flask
from whitenoise import WhiteNoise

from tests.extensions.beside import Browser, instrumented_in, one_record_each, wrapped_in

STYLE = b"body { color: teal }\n" * 500


@pytest.fixture
def static(tmp_path):
    (tmp_path / "style.css").write_bytes(STYLE)
    return lambda app: WhiteNoise(app, root=str(tmp_path), prefix="static/")


def make() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.get("/")(lambda: "home")
    return app


def talk(browser: Browser):
    return [
        browser.ask("/static/style.css"),
        browser.ask("/"),
        browser.ask("/static/style.css", range="bytes=5-9"),
        browser.ask("/static/nothing.css"),
    ]


def opened(app) -> Browser:
    return Browser(app, **{"wsgi.file_wrapper": FileWrapper})


def check(browser, seen, plain):
    assert seen == plain
    assert [one.status for one in seen] == [200, 200, 206, 404]
    assert seen[0].body == STYLE
    # The server's own object, not a wrapper of it: a server can send the file by the kernel.
    assert type(browser.iterables[0]) is FileWrapper


def test_static_files_are_served_within_us_and_around_us(order, static, telemetry):
    plain = talk(opened(static(make())))
    browser = opened(wrapped_in(order, make(), static, telemetry, "wsgi"))
    seen = talk(browser)
    check(browser, seen, plain)
    # Around us, WhiteNoise answers for its files before anyone else sees the request.
    recorded = seen if order == "theirs first" else [seen[1], seen[3]]
    assert one_record_each(telemetry, recorded)


def test_static_files_are_served_inside_of_flasks_wsgi_app(order, static, telemetry, instrumentor):
    def make_with_static():
        app = make()
        app.wsgi_app = static(app.wsgi_app)
        return app

    plain = talk(opened(make_with_static()))
    browser = opened(instrumented_in(order, make_with_static, instrumentor, telemetry))
    seen = talk(browser)
    check(browser, seen, plain)
    assert one_record_each(telemetry, seen)
    assert telemetry.server_spans[0].attributes["http.response.body.size"] == len(STYLE)
