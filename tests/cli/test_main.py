import io
import os
import runpy
import subprocess
import sys

import pytest

from otel_apimetrics.cli.main import main
from otel_apimetrics.version import __version__


def process(*arguments, stdin="", **environ):
    return subprocess.run(
        [sys.executable, "-m", "otel_apimetrics", *arguments],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error", **environ},
    )


def test_the_package_runs_as_a_command():
    done = process("redact-test", "-", stdin='{"password": "hunter2hunter2"}')
    assert (done.returncode, done.stderr) == (0, "")
    assert '"password": "[REDACTED]"' in done.stdout
    assert "hunter2" not in done.stdout


def test_a_secret_that_is_left_fails_the_command():
    done = process("redact-test", "-", "--secret", "canary-7", stdin='{"note": "canary-7"}')
    assert done.returncode == 1
    assert "canary" not in done.stdout + done.stderr


def test_a_terminal_without_unicode_gets_escapes():
    done = process("redact-test", "-", stdin="password=hunter2hunter2", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "\\u2190 name:password" in done.stdout


def test_the_module_hands_its_exit_code_on(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["otel-apimetrics", "redact-test", "/does/not/exist"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("otel_apimetrics", run_name="__main__")
    assert stop.value.code == 2
    assert "cannot read /does/not/exist" in capsys.readouterr().err


def test_without_a_subcommand_there_is_help(run):
    done = run()
    assert done.code == 2
    assert "redact-test" in done.err
    assert "collector-rules" in done.err
    assert done.out == ""


def test_the_version_is_the_packages(run):
    assert run("--version").out == f"otel-apimetrics {__version__}\n"


@pytest.mark.parametrize("command", ["redact-test", "collector-rules"])
def test_help_has_examples_and_exit_codes(run, command):
    done = run(command, "--help")
    assert done.code == 0
    assert f"examples:\n  otel-apimetrics {command}" in done.out
    assert "exit codes:\n  0  " in done.out
    assert "--deny NAME" in done.out
    assert all(len(line) <= 100 for line in done.out.splitlines())


def test_an_unknown_flag_is_a_usage_error(run):
    assert run("redact-test", "-", "--nope").code == 2


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"password=hunter2")))
    with os.fdopen(writing, "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["redact-test", "-"]) == 0


def test_what_cannot_be_encoded_is_escaped(monkeypatch):
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"password=hunter2")))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding="ascii"))
    assert main(["redact-test", "-"]) == 0
    sys.stdout.flush()
    assert b"\\u2190 name:password" in data.getvalue()
