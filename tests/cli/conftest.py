"""Running the command line in this process."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from otel_apimetrics.cli.main import main


class Done(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `otel-apimetrics` with arguments and a standard input."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def running(*arguments: str, stdin: bytes | str = b"") -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Done(code, *capsys.readouterr())

    return running


@pytest.fixture
def redact(run: Run) -> Run:
    """Run `redact-test` on a text."""

    def redacting(text: bytes | str, *flags: str) -> Done:
        return run("redact-test", "-", *flags, stdin=text)

    return redacting


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file, and give its name."""

    def writing(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return writing
