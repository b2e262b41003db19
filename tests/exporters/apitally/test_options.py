"""The exporter's options: keywords and variables, what is refused, and what the entry point does."""

import re
from pathlib import Path

import pytest

from otel_apimetrics import ConfigError
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.apitally.by_name import ApitallyByName
from otel_apimetrics.exporters.apitally.options import SETTINGS, read_options
from tests.exporters.apitally.scenarios import item

CLIENT = "76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9"
TOKEN = "apt_" + "a1B2c3" * 4
PAGE = Path(__file__).parents[3] / "docs" / "exporters" / "apitally.md"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "OTEL_EXPORTER_APITALLY_WRITE_TOKEN"),
        ({"client_id": CLIENT, "write_token": TOKEN}, "not both"),
        ({"client_id": "abc"}, "client_id"),
        ({"write_token": "apt_short"}, "write_token"),
        ({"client_id": CLIENT, "env": "a b"}, "env"),
        ({"client_id": CLIENT, "env": "x" * 33}, "env"),
        ({"client_id": CLIENT, "endpoint": "hub.apitally.io"}, "endpoint"),
        ({"client_id": CLIENT, "mask_headers": ["("]}, "mask_headers"),
        ({"client_id": CLIENT, "sample_rate": 2}, "sample_rate"),
        ({"client_id": CLIENT, "sample_rate": "tests.conftest:clean_environ"}, "sample_rate"),
        ({"client_id": CLIENT, "exclude": 3}, "exclude"),
        ({"client_id": CLIENT, "log_request_body": True}, "log_request_body"),
        ({"client_id": CLIENT, "spool": "/proc/nowhere"}, "spool"),
    ],
)
def test_a_wrong_or_missing_option_is_an_error_with_a_remedy(given, named):
    with pytest.raises(ConfigError, match=re.escape(named)) as raised:
        ApitallySpanExporter(**given)
    assert "apt_short" not in str(raised.value)


def test_zero_arguments_are_the_environments(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_APITALLY_CLIENT_ID", CLIENT.upper())
    monkeypatch.setenv("OTEL_EXPORTER_APITALLY_MASK_HEADERS", "x-one, x-two")
    monkeypatch.setenv("OTEL_EXPORTER_APITALLY_REQUEST_LOGS", "true")
    monkeypatch.setenv("OTEL_EXPORTER_APITALLY_CAPTURE_REQUEST_BODY", "true")

    exporter = ApitallySpanExporter()

    assert exporter._options.client_id == CLIENT
    assert exporter._options.mask_headers == ("x-one", "x-two")
    assert exporter._options.endpoint == "https://hub.apitally.io"
    assert exporter.needs.bodies
    assert exporter.needs.headers


@pytest.mark.parametrize(
    ("variables", "given", "expected"),
    [
        ({}, {}, "dev"),
        ({"OTEL_APIMETRICS_ENVIRONMENT": "prod"}, {}, "prod"),
        ({"OTEL_APIMETRICS_ENVIRONMENT": "a", "OTEL_EXPORTER_APITALLY_ENV": "b"}, {}, "b"),
        ({"OTEL_EXPORTER_APITALLY_ENV": "b"}, {"env": "c"}, "c"),
    ],
)
def test_the_environment_is_the_nearest_that_is_named(monkeypatch, variables, given, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read_options({"client_id": CLIENT, **given}).env == expected


def test_the_credentials_decide_about_the_protocol_and_its_defaults():
    hub, otlp = read_options({"client_id": CLIENT}), read_options({"write_token": TOKEN})
    assert (hub.endpoint, hub.request_logs) == ("https://hub.apitally.io", False)
    assert (otlp.endpoint, otlp.request_logs) == ("https://otlp.apitally.io", True)


def test_without_credentials_the_entry_points_exporter_is_off_with_one_line(caplog):
    exporter = ApitallyByName()

    exporter.start()
    exporter.app_started("flask", ["GET /"])
    assert exporter.disabled
    assert exporter.export_exchanges([item(1)])
    assert exporter.force_flush()
    exporter.shutdown()

    (line,) = [record.getMessage() for record in caplog.records]
    assert "apitally is off" in line
    assert "OTEL_EXPORTER_APITALLY_WRITE_TOKEN" in line


def test_each_option_is_documented():
    page = PAGE.read_text()
    for name in SETTINGS:
        assert f"| `{name}` |" in page, name


def test_the_entry_point_is_registered():
    import importlib

    project = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    (value,) = re.findall(r'^apitally = "([^"]+)"$', project, re.MULTILINE)
    module, _, name = value.partition(":")
    assert getattr(importlib.import_module(module), name) is ApitallyByName
