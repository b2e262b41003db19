"""What an app may say about the request it serves."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from otel_apimetrics import (
    ApiMetricsWSGIMiddleware,
    Company,
    add_label,
    add_metadata,
    set_consumer,
    skip_request,
)
from otel_apimetrics.decoding import decode
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry


def serve(telemetry: Telemetry, say=lambda: None, **options):
    def app(environ, start_response):
        say()
        start_response("200 OK", [])
        return [b"x"]

    app = ApiMetricsWSGIMiddleware(app, **telemetry.providers, **options)
    served = serve_wsgi(app, make_environ())
    assert served.body == b"x"
    return dict(telemetry.server_span.attributes)


def test_everything_about_a_consumer_is_on_the_span(telemetry):
    def say():
        set_consumer(
            "acme",
            name="Acme Inc.",
            email="ops@acme.example",
            group="gold",
            company=Company(id="c1", name="Acme"),
            session="s1",
            metadata={"seats": 7},
        )

    attributes = serve(telemetry, say)
    assert attributes["apimetrics.consumer.id"] == "acme"
    assert attributes["apimetrics.consumer.name"] == "Acme Inc."
    assert attributes["apimetrics.consumer.email"] == "ops@acme.example"
    assert attributes["apimetrics.consumer.group"] == "gold"
    assert attributes["apimetrics.company.id"] == "c1"
    assert attributes["apimetrics.company.name"] == "Acme"
    assert attributes["session.id"] == "s1"
    assert attributes["apimetrics.metadata"] == '{"seats": 7}'


def test_a_company_may_be_its_id(telemetry):
    attributes = serve(telemetry, lambda: set_consumer("a", company="c1"))
    assert attributes["apimetrics.company.id"] == "c1"
    assert "apimetrics.company.name" not in attributes


def test_the_last_call_wins_and_metadata_adds_up(telemetry):
    def say():
        set_consumer("one", metadata={"a": 1})
        set_consumer("two", metadata={"b": 2})
        add_metadata("c", 3)
        add_label("x", 1)
        add_label("x", 2)

    attributes = serve(telemetry, say)
    assert attributes["apimetrics.consumer.id"] == "two"
    assert attributes["apimetrics.metadata"] == '{"a": 1, "b": 2, "c": 3}'
    assert attributes["apimetrics.label.x"] == "2"


@pytest.mark.parametrize("empty", ["", " ", "\x00\n"])
def test_an_empty_id_is_ignored(telemetry, empty):
    attributes = serve(telemetry, lambda: (set_consumer("first"), set_consumer(empty)))
    assert attributes["apimetrics.consumer.id"] == "first"


def test_an_id_of_another_type_becomes_text_and_a_long_one_is_cut(telemetry):
    assert serve(telemetry, lambda: set_consumer(42))["apimetrics.consumer.id"] == "42"
    telemetry.exporter.clear()
    attributes = serve(telemetry, lambda: set_consumer("x" * 999))
    assert attributes["apimetrics.consumer.id"] == "x" * 256


def test_a_thread_with_a_copy_of_the_context_speaks_of_the_same_request(telemetry):
    def say():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, set_consumer, "threaded").result()

    assert serve(telemetry, say)["apimetrics.consumer.id"] == "threaded"


def test_outside_a_request_nothing_happens():
    set_consumer("x")
    add_label("a", "b")
    add_metadata("a", "b")
    skip_request()


def test_after_the_response_nothing_happens(telemetry):
    kept = []
    serve(telemetry, lambda: kept.append(copy_context()))
    kept[0].run(set_consumer, "late")
    kept[0].run(skip_request)
    assert "apimetrics.consumer.id" not in telemetry.server_span.attributes


class Unprintable:
    def __str__(self):
        raise ValueError("no text")


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    "say",
    [
        lambda: set_consumer(Unprintable()),
        lambda: set_consumer("x", metadata=7),
        lambda: add_label("x", Unprintable()),
        lambda: add_label(Unprintable(), "x"),
        lambda: add_metadata(Unprintable(), 1),
    ],
)
def test_what_cannot_be_text_raises_nothing_into_the_app(telemetry, no_swallowed_errors, say):
    serve(telemetry, say)
    assert len(no_swallowed_errors) == 1
    assert no_swallowed_errors[0][0].startswith("api.")
    assert telemetry.total() == 1


def test_a_skipped_request_leaves_no_metric_and_a_span_that_exporters_leave_out(telemetry):
    assert "apimetrics.exchange.id" not in serve(telemetry, skip_request)
    assert telemetry.total() == 0
    assert telemetry.server_span.attributes["apimetrics.exchange.skipped"] is True
    assert decode(telemetry.server_span) is None


def test_a_request_that_a_hook_skips_is_left_out_too(telemetry):
    serve(telemetry, skip=lambda _exchange: True)
    assert decode(telemetry.server_span) is None
