from flask import Flask
from flask_cors import CORS

from tests.extensions.beside import Browser, instrumented_in, one_record_each

UI = "https://ui.example"


def make() -> Flask:
    app = Flask(__name__)
    CORS(app, origins=[UI], expose_headers=["X-Total"])
    app.get("/items")(lambda: {"items": []})
    return app


def talk(browser: Browser):
    return [
        browser.ask("/items", "OPTIONS", origin=UI, access_control_request_method="GET"),
        browser.ask("/items", origin=UI),
        browser.ask("/items", origin="https://elsewhere.example"),
    ]


def test_cross_origin_headers_are_set_beside_us(order, telemetry, instrumentor):
    plain = talk(Browser(make()))
    seen = talk(Browser(instrumented_in(order, make, instrumentor, telemetry)))
    assert seen == plain
    assert [one.header("access-control-allow-origin") for one in seen] == [UI, UI, None]
    assert "GET" in seen[0].header("access-control-allow-methods")
    assert seen[1].header("access-control-expose-headers") == "X-Total"
    assert one_record_each(telemetry, seen)
