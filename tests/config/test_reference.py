"""The page of all options says what the code does."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from otel_apimetrics.config import OPTIONS, build, reference

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference.page(), f"run: {reference.COMMAND}"


def test_the_command_prints_the_page():
    done = subprocess.run(
        [sys.executable, "-m", "otel_apimetrics.config.reference"],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout == reference.page()
    assert done.stderr == ""


def test_the_module_run_as_a_script_writes_the_page_and_nothing_else(capsys):
    runpy.run_path(reference.__file__, run_name="__main__")
    assert capsys.readouterr().out == reference.page()


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_has_a_row(option):
    assert f"\n| `{option}` | " in reference.page()


@pytest.mark.parametrize("name", sorted(reference.docstrings()))
def test_each_field_says_its_meaning_default_and_variable(name):
    meaning, notes = reference.docstrings()[name]
    assert meaning
    assert notes == reference.notes_of(name)


def test_each_option_has_a_docstring():
    assert set(OPTIONS) <= set(reference.docstrings())


def test_each_row_has_four_cells():
    rows = [line for line in reference.page().splitlines() if line.startswith("|")]
    assert len(rows) == len(reference.docstrings()) + 2
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_the_declarative_example_is_a_valid_file(tmp_path, monkeypatch):
    pytest.importorskip("opentelemetry.configuration.file")
    from otel_apimetrics.config.declarative import options_in_file

    monkeypatch.setenv("DEPLOYMENT", "staging")
    example = re.search(r"```yaml\n(.*?)```", reference.page(), re.DOTALL)
    path = tmp_path / "otel.yaml"
    path.write_text(example[1])
    options = options_in_file({"OTEL_CONFIG_FILE": str(path)})
    config = build(options, {})
    assert config.environment == "staging"
    assert config.capture_body == "errors"
    assert config.redaction.deny == ("iban", "users.*.email")


def test_importing_the_configuration_loads_no_framework_and_no_exporter():
    heavy = [
        "flask",
        "starlette",
        "django",
        "yaml",
        "requests",
        "httpx",
        "opentelemetry.instrumentation",
    ]
    code = (
        "import sys, otel_apimetrics.config, otel_apimetrics.config.declarative;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
