from cachelib import SimpleCache
from flask import Flask, session
from flask_session import Session

from tests.extensions.beside import Browser, instrumented_in, one_record_each


def make() -> Flask:
    app = Flask(__name__)
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=SimpleCache())
    Session(app)

    @app.post("/cart/<item>")
    def add(item: str):
        session.setdefault("cart", []).append(item)
        session.modified = True
        return ""

    app.get("/cart")(lambda: session.get("cart", []))
    return app


def talk(browser: Browser):
    return [
        browser.ask("/cart"),
        browser.ask("/cart/tea", "POST"),
        browser.ask("/cart/milk", "POST"),
        browser.ask("/cart"),
    ]


def test_a_session_on_the_server_is_kept_beside_us(order, telemetry, instrumentor):
    plain = talk(Browser(make()))
    seen = talk(Browser(instrumented_in(order, make, instrumentor, telemetry)))
    assert seen == plain
    assert seen[0].body == b"[]\n"
    assert seen[3].body == b'["tea","milk"]\n'
    assert seen[1].header("set-cookie").startswith("session=...; ")
    assert one_record_each(telemetry, seen)
