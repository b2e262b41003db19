"""Our section of the declarative file, read with the SDK's own loader."""

import json

import pytest

from otel_apimetrics import _guard
from otel_apimetrics.config.declarative import is_disabled_in_file, options_in_file

pytest.importorskip("opentelemetry.configuration.file")


@pytest.fixture
def environ(tmp_path):
    """Write a file with this section and name it as the SDK expects."""

    def write(section, name="otel.yaml"):
        path = tmp_path / name
        path.write_text(
            f'file_format: "1.0"\ninstrumentation/development:\n  python:\n{section}'
            if name.endswith("yaml")
            else section
        )
        return {"OTEL_CONFIG_FILE": str(path)}

    return write


def test_without_a_file_there_is_nothing_to_read():
    assert options_in_file({}) is None
    assert options_in_file({"OTEL_CONFIG_FILE": ""}) is None
    assert not is_disabled_in_file({})


def test_options_are_read_without_enabled(environ):
    named = environ("    apimetrics:\n      enabled: true\n      capture_body: errors\n")
    assert options_in_file(named) == {"capture_body": "errors"}
    assert not is_disabled_in_file(named)


@pytest.mark.parametrize("value", ["false", "no", "off"])
def test_disabled_is_understood(environ, value):
    named = environ(f"    apimetrics:\n      enabled: {value}\n      capture_body: all\n")
    assert is_disabled_in_file(named)
    assert options_in_file(named) == {"capture_body": "all"}


def test_variables_in_the_file_are_substituted_with_their_types(environ, monkeypatch):
    monkeypatch.setenv("APIMETRICS_ON", "false")
    named = environ(
        "    apimetrics:\n"
        "      enabled: ${APIMETRICS_ON}\n"
        "      max_consumers: ${APIMETRICS_CONSUMERS:-50}\n"
    )
    assert is_disabled_in_file(named)
    assert options_in_file(named) == {"max_consumers": 50}


def test_a_section_of_others_is_not_ours(environ):
    named = environ("    flask:\n      enabled: false\n")
    assert options_in_file(named) is None
    assert not is_disabled_in_file(named)


def test_an_empty_section_has_no_options(environ):
    named = environ("    apimetrics: {}\n")
    assert options_in_file(named) == {}
    assert not is_disabled_in_file(named)


def test_a_file_without_instrumentation_is_fine(tmp_path):
    path = tmp_path / "otel.yaml"
    path.write_text('file_format: "1.0"\n')
    assert options_in_file({"OTEL_CONFIG_FILE": str(path)}) is None


@pytest.mark.parametrize(
    "languages",
    [
        {"java": {}},
        # The SDK refuses the whole file for these, and says so itself.
        pytest.param(None, marks=pytest.mark.swallows_errors),
        pytest.param({"python": None}, marks=pytest.mark.swallows_errors),
    ],
)
def test_a_file_for_other_languages_is_fine(environ, languages):
    content = {"file_format": "1.0", "instrumentation/development": languages}
    assert options_in_file(environ(json.dumps(content), "otel.json")) is None


def test_json_files_are_read(environ):
    section = {"apimetrics": {"enabled": False, "exporters": ["otlp"]}}
    content = {"file_format": "1.0", "instrumentation/development": {"python": section}}
    named = environ(json.dumps(content), "otel.json")
    assert is_disabled_in_file(named)
    assert options_in_file(named) == {"exporters": ["otlp"]}


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("name", "content"),
    [("otel.json", "{"), ("otel.txt", "x"), ("otel.json", "[]"), ("otel.json", "{}")],
)
def test_a_broken_file_is_counted_and_changes_nothing(environ, name, content):
    named = environ(content, name)
    before = _guard.counts().get("config.file", 0)
    assert options_in_file(named) is None
    assert not is_disabled_in_file(named)
    assert _guard.counts()["config.file"] == before + 2


@pytest.mark.swallows_errors
def test_a_missing_file_changes_nothing(tmp_path):
    named = {"OTEL_CONFIG_FILE": str(tmp_path / "absent.yaml")}
    assert options_in_file(named) is None
    assert not is_disabled_in_file(named)


@pytest.mark.swallows_errors
@pytest.mark.parametrize("section", ["    apimetrics: 7\n", "    apimetrics:\n"])
def test_a_section_that_is_no_mapping_has_no_options(environ, section):
    named = environ(section)
    assert options_in_file(named) is None
    assert not is_disabled_in_file(named)
