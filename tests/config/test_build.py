"""Keywords and environment variables become one configuration, or one clear error."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_apimetrics import environment_variables
from otel_apimetrics.config import OPTIONS, Config, ConfigError, build
from otel_apimetrics.config.building import variable_of
from otel_apimetrics.redaction import RedactionPolicy

SAMPLES = {
    "identify": ("header:x-a", "header:x-b"),
    "label": ("operator:not_", "operator:truth"),
    "metric_labels": ("plan", "region"),
    "skip": ("operator:not_", "operator:truth"),
    "capture_body": ("errors", "all"),
    "capture_headers": ("x-one", "x-two"),
    "max_body_size": ("1k", "2k"),
    "content_types": ("text/plain", "text/csv"),
    "excluded_paths": ("^/one", "^/two"),
    "excluded_user_agents": ("curl", "wget"),
    "trusted_proxies": ("10.0.0.1", "10.0.0.2"),
    "client_ip": ("hash", "full"),
    "sample_rate": ("0.5", "0.25"),
    "max_consumers": ("10", "20"),
    "metrics": ("all", "semconv"),
    "environment": ("staging", "production"),
    "exporters": ("otlp", "console"),
}
"""Two values of each option that a variable can set, as strings."""

CODE_ONLY = {"tracer_provider", "meter_provider"}


def test_nothing_given_is_the_defaults():
    config = build({}, {})
    assert config == Config()
    assert config.capture_body == "off"
    assert config.capture_headers == "safe"
    assert config.client_ip == "truncated"
    assert config.max_body_size == 16384
    assert config.sample_rate == 1.0
    assert config.max_consumers == 1000
    assert config.metrics == {"default"}
    assert config.exporters == ()


def test_the_samples_cover_each_option_that_a_variable_sets():
    assert set(SAMPLES) == set(OPTIONS) - CODE_ONLY - {"redaction"}


@pytest.mark.parametrize("option", [name for name in SAMPLES if name != "identify"])
def test_a_keyword_beats_the_variable_and_the_variable_beats_the_default(option):
    ours, theirs = SAMPLES[option]
    by_keyword = getattr(build({option: ours}, {}), option)
    by_variable = getattr(build({}, {variable_of(option): theirs}), option)
    both = getattr(build({option: ours}, {variable_of(option): theirs}), option)
    assert both == by_keyword
    assert len({repr(by_keyword), repr(by_variable), repr(getattr(Config(), option))}) == 3


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("absent", [None, "", "  "])
def test_none_and_the_empty_string_mean_not_given(option, absent):
    assert build({option: absent}, {}) == Config()


@pytest.mark.parametrize("option", sorted(SAMPLES))
def test_an_absent_keyword_leaves_the_word_to_the_variable(option):
    environ = {variable_of(option): SAMPLES[option][0]}
    with_none = getattr(build({option: None}, environ), option)
    assert repr(with_none) != repr(getattr(Config(), option))


@pytest.mark.parametrize(
    "variable", environment_variables.__dict__.keys() & {"OTEL_APIMETRICS_SKIP"}
)
def test_an_empty_variable_counts_as_unset(variable):
    assert build({}, {variable: " "}).skip is None


def test_an_unknown_option_is_named_with_the_nearest_and_all_options():
    with pytest.raises(ConfigError) as caught:
        build({"capture_bodys": "all"}, {})
    message = str(caught.value)
    assert "Unknown option capture_bodys" in message
    assert "did you mean capture_body?" in message
    assert "max_consumers" in message


def test_an_unknown_option_with_no_neighbour_still_lists_what_there_is():
    with pytest.raises(ConfigError, match=r"^Unknown option zzz: it must be one of identify, "):
        build({"zzz": 1}, {})


def test_a_mistyped_variable_is_an_error_and_its_value_stays_out_of_the_message():
    with pytest.raises(ConfigError, match="did you mean OTEL_APIMETRICS_CAPTURE_BODY") as caught:
        build({}, {"OTEL_APIMETRICS_CAPTURE_BODYS": "s3cret"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(CODE_ONLY))
def test_what_only_code_can_set_has_no_variable(name):
    assert variable_of(name) is None
    with pytest.raises(ConfigError, match="Unknown environment variable"):
        build({}, {f"OTEL_APIMETRICS_{name.upper()}": "x"})


def test_variables_of_others_are_none_of_our_business():
    environ = {"OTEL_SERVICE_NAME": "shop", "OTEL_EXPORTER_MOESIF_TOKEN": "x", "PATH": "/bin"}
    assert build({}, environ) == Config()


@pytest.mark.parametrize(
    "option",
    ["capture_request_headers_extra", "capture_response_headers_extra", "_excluded_paths"],
)
def test_fields_that_are_no_options_cannot_be_set(option):
    with pytest.raises(ConfigError, match="Unknown option"):
        build({option: ()}, {})


def test_an_error_names_the_variable_that_gave_the_value():
    with pytest.raises(ConfigError) as caught:
        build({}, {"OTEL_APIMETRICS_CAPTURE_BODY": "errorz"})
    assert str(caught.value) == (
        "OTEL_APIMETRICS_CAPTURE_BODY='errorz' is not accepted: use off, errors, all or schema."
    )


def test_a_config_error_is_a_value_error():
    assert issubclass(ConfigError, ValueError)


def test_providers_are_taken_as_they_are():
    tracers, meters = TracerProvider(), MeterProvider()
    config = build({"tracer_provider": tracers, "meter_provider": meters}, {})
    assert config.tracer_provider is tracers
    assert config.meter_provider is meters
    meters.shutdown()
    tracers.shutdown()


@pytest.mark.parametrize("option", sorted(CODE_ONLY))
def test_what_is_no_provider_is_refused(option):
    with pytest.raises(ConfigError, match=rf"{option} \(of type object\) is not accepted"):
        build({option: object()}, {})


def test_contribs_excluded_urls_are_added_to_the_option():
    environ = {"OTEL_PYTHON_EXCLUDED_URLS": "healthcheck, ,ping"}
    assert build({}, environ).excluded_paths == ("healthcheck", "ping")
    config = build({"excluded_paths": ["^/own"]}, environ)
    assert config.excluded_paths == ("^/own", "healthcheck", "ping")


def test_contribs_captured_headers_are_read_a_side():
    config = build(
        {},
        {
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "Accept.*, X-One",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": "x-two",
        },
    )
    assert config.capture_request_headers_extra == ("Accept.*", "X-One")
    assert config.capture_response_headers_extra == ("x-two",)
    assert config.capture_headers == "safe"


@pytest.mark.parametrize(
    "variable",
    [
        "OTEL_PYTHON_EXCLUDED_URLS",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE",
    ],
)
@pytest.mark.parametrize("expression", ["(", "(a+)+"])
def test_a_bad_expression_in_contribs_variables_is_named(variable, expression):
    with pytest.raises(ConfigError, match=f"^{variable}="):
        build({}, {variable: expression})


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.one_of(st.text(), st.integers(), st.none())),
    st.dictionaries(st.text(), st.text()),
    st.sampled_from([object(), object, print, ("a",), {"a"}]),
)


def outcome(options, environ):
    try:
        return build(options, environ)
    except ConfigError as error:
        return str(error)


@given(option=st.sampled_from(OPTIONS), value=ANYTHING)
def test_any_value_gives_a_configuration_or_an_error_that_names_the_option(option, value):
    result = outcome({option: value}, {})
    assert isinstance(result, Config) or option in result


VARIABLES = sorted(name for name in vars(environment_variables) if name.startswith("OTEL_"))


@given(variable=st.sampled_from(VARIABLES), value=st.text())
def test_any_variable_gives_a_configuration_or_an_error_that_begins_with_it(variable, value):
    result = outcome({}, {variable: value})
    assert isinstance(result, Config) or result.startswith(variable)


def test_each_public_constant_of_the_registered_module_is_its_own_name():
    constants = {
        name: value
        for name, value in vars(environment_variables).items()
        if not name.startswith("__")
    }
    assert all(name.startswith("OTEL_APIMETRICS_") for name in constants)
    assert all(name == value for name, value in constants.items())


def test_each_variable_belongs_to_an_option_and_each_option_to_a_variable():
    variables = {name for name in vars(environment_variables) if name.startswith("OTEL_")}
    of_options = {variable_of(option) for option in OPTIONS} - {None, "OTEL_APIMETRICS_REDACTION_*"}
    fields = dataclasses.fields(RedactionPolicy)
    of_redaction = {f"OTEL_APIMETRICS_REDACTION_{field.name.upper()}" for field in fields}
    assert variables == of_options | of_redaction
