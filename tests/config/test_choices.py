"""Headers, media types, proxies and exporters."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_apimetrics.config import ConfigError, build


def read(option, value):
    return getattr(build({option: value}, {}), option)


def refused(option, value):
    with pytest.raises(ConfigError) as caught:
        build({option: value}, {})
    return str(caught.value)


@pytest.mark.parametrize("word", ["safe", "all", "off"])
@pytest.mark.parametrize("form", [str, str.upper, lambda word: [word], lambda word: {word.upper()}])
def test_a_word_for_headers_is_read_in_each_form(word, form):
    assert read("capture_headers", form(word)) == word


@pytest.mark.parametrize("value", ["X-One, x-two", ["X-One", "x-two"], ("x-one", "X-Two", "x-two")])
def test_header_names_are_kept_in_lower_case(value):
    assert read("capture_headers", value) == frozenset({"x-one", "x-two"})


@pytest.mark.parametrize("value", ["safe,x-one", "x one", "x:one", ["x-one", "off"], [], "x-é"])
def test_a_header_list_with_a_word_or_a_bad_name_is_refused(value):
    assert "use safe, all or off alone, or a list of header names" in refused(
        "capture_headers", value
    )


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/event-stream",
    ],
)
def test_textual_bodies_are_accepted_by_default(media_type):
    assert build({}, {}).accepts(media_type)


@pytest.mark.parametrize("media_type", ["", "image/png", "multipart/mixed", "application/pdf"])
def test_other_bodies_are_not(media_type):
    assert not build({}, {}).accepts(media_type)


def test_own_media_types_replace_the_default_ones():
    config = build({"content_types": "Application/*+XML, image/svg"}, {})
    assert config.content_types == ("application/*+xml", "image/svg")
    assert config.accepts("application/soap+xml")
    assert config.accepts("image/svg")
    assert not config.accepts("application/json")


def test_two_configurations_do_not_share_their_answers():
    narrow, wide = build({"content_types": "text/csv"}, {}), build({"content_types": "*/*"}, {})
    assert [config.accepts("text/html") for config in (narrow, wide, narrow)] == [
        False,
        True,
        False,
    ]


def test_no_media_type_captures_no_body():
    assert not build({"content_types": []}, {}).accepts("text/plain")


@pytest.mark.parametrize("value", ["json", "text/plain; charset=utf-8", "a/b/c", "text/[ab]", "/"])
def test_what_is_no_media_type_is_refused(value):
    assert refused("content_types", value).startswith(f"content_types={value!r}")


@pytest.mark.parametrize("value", ["10.0.0.0/8, loopback", ["10.0.0.0/8", "loopback"]])
def test_proxies_are_networks_addresses_and_words(value):
    assert read("trusted_proxies", value) == ("10.0.0.0/8", "loopback")


@pytest.mark.parametrize("value", ["10.0.0.0/99", "nonsense", ["::1", "300.1.1.1"]])
def test_what_is_no_proxy_is_refused(value):
    assert refused("trusted_proxies", value).startswith("trusted_proxies")


def test_exporters_are_named_by_their_entry_points():
    assert read("exporters", "otlp, console,otlp") == ("otlp", "console")
    assert read("exporters", [" otlp "]) == ("otlp",)
    assert read("exporters", {"otlp", "console"}) == ("console", "otlp")


def test_an_exporter_that_is_not_installed_is_refused_with_those_that_are():
    message = refused("exporters", "otlp,moesiff")
    assert message.startswith("exporters='moesiff'")
    assert "console" in message
    assert "otlp" in message
    assert "opentelemetry_traces_exporter" in message


def test_none_stands_for_no_exporter_and_beats_the_environment():
    config = build({"exporters": "none"}, {"OTEL_APIMETRICS_EXPORTERS": "otlp"})
    assert config.exporters == ()
    assert build({"exporters": ["none"]}, {}).exporters == ()
    assert build({}, {"OTEL_APIMETRICS_EXPORTERS": "none"}).exporters == ()


def test_none_among_exporters_is_refused():
    assert refused("exporters", "otlp,none").startswith("exporters='none'")


def test_exporter_objects_are_taken_once_each_in_order():
    one, two = InMemorySpanExporter(), InMemorySpanExporter()
    assert read("exporters", [one, "otlp", two, one]) == (one, "otlp", two)
    assert read("exporters", one) == (one,)


def test_exporters_need_neither_a_hash_nor_equality():
    class Awkward:
        __hash__ = None

        def __eq__(self, other):
            raise RuntimeError

        def export(self, spans):
            return None

    one, two = Awkward(), Awkward()
    found = read("exporters", (one, two))
    assert found[0] is one
    assert found[1] is two


@pytest.mark.parametrize("value", [InMemorySpanExporter, object(), [None], 7, {"otlp": {}}])
def test_what_cannot_export_is_refused(value):
    assert "an object with an export method" in refused("exporters", value)
