"""An error of ours is counted, logged once a minute a place, and withholds what it quotes."""

import pytest

from otel_apimetrics import _guard

pytestmark = pytest.mark.swallows_errors


def raised(message: str) -> ValueError:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def test_an_error_is_counted_by_place():
    for _ in range(3):
        _guard.swallow("a.b", raised("x"))
    _guard.swallow("c.d", raised("x"))
    assert _guard.counts() == {"a.b": 3, "c.d": 1}


def test_a_place_is_logged_once_a_minute(caplog, monkeypatch):
    now = 1_000.0
    monkeypatch.setattr(_guard, "monotonic", lambda: now)
    for _ in range(5):
        _guard.swallow("a.b", raised("x"))
    _guard.swallow("other", raised("x"))
    assert len(caplog.records) == 2
    now += 60
    _guard.swallow("a.b", raised("x"))
    assert len(caplog.records) == 3


def test_the_log_line_has_the_type_and_the_line_but_not_the_message(caplog):
    _guard.swallow("a.b", raised("hunter2"))
    (record,) = caplog.records
    assert record.name == "otel_apimetrics"
    assert "a.b" in record.message
    assert "ValueError" in record.message
    assert "test_guard.py" in record.message
    assert "in raised" in record.message
    assert "hunter2" not in caplog.text


def test_an_error_that_quotes_no_request_may_be_shown(caplog):
    _guard.swallow("config.file", raised("no such file"), reveal=True)
    assert "ValueError: no such file" in caplog.text


def test_an_error_that_was_never_raised_has_an_unknown_line(caplog):
    _guard.swallow("a.b", ValueError())
    assert "an unknown line" in caplog.text


def test_the_line_is_the_innermost_one(caplog):
    try:
        int("x", base=raised("y"))  # type: ignore[call-overload]
    except TypeError as error:
        _guard.swallow("a.b", error)
    assert "test_the_line_is_the_innermost_one" in caplog.text


def test_observers_see_each_error(no_swallowed_errors):
    error = raised("x")
    _guard.swallow("a.b", error)
    assert no_swallowed_errors == [("a.b", error)]


def test_a_warning_comes_once_until_forgotten(caplog):
    for _ in range(3):
        _guard.warn_once("key", "More than %d", 7)
    assert [record.message for record in caplog.records] == ["More than 7"]
    _guard.forget()
    _guard.warn_once("key", "More than %d", 7)
    assert len(caplog.records) == 2
    assert _guard.counts() == {}
