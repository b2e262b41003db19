from flask import Flask
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)

from tests.extensions.beside import Browser, instrumented_in, one_record_each


class User(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def make() -> Flask:
    app = Flask(__name__)
    app.secret_key = "for tests"
    manager = LoginManager(app)
    manager.user_loader(User)

    @app.post("/enter/<name>")
    def enter(name: str):
        login_user(User(name))
        return "welcome"

    @app.get("/me")
    @login_required
    def me():
        return current_user.id

    @app.post("/leave")
    def leave():
        logout_user()
        return "bye"

    return app


def talk(browser: Browser):
    return [
        browser.ask("/me"),
        browser.ask("/enter/ada", "POST"),
        browser.ask("/me"),
        browser.ask("/leave", "POST"),
        browser.ask("/me"),
    ]


def test_a_login_lasts_until_the_logout_beside_us(order, telemetry, instrumentor):
    plain = talk(Browser(make()))
    seen = talk(Browser(instrumented_in(order, make, instrumentor, telemetry)))
    assert seen == plain
    assert [one.status for one in seen] == [401, 200, 200, 200, 401]
    assert seen[2].body == b"ada"
    assert one_record_each(telemetry, seen)
