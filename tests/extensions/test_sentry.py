import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(framework: str, *parties: str):
    process = subprocess.run(
        [sys.executable, "-m", "tests.extensions.sentry_app", framework, *parties],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "otel-apimetrics was swallowed" not in process.stderr
    return json.loads(process.stdout)


@pytest.mark.parametrize("framework", ["flask", "starlette"])
def test_sentry_sees_an_exception_once_beside_us(framework, order):
    alone = run(framework, "sentry")
    both = run(framework, *(("ours", "sentry") if order == "ours first" else ("sentry", "ours")))
    for key in ("answers", "exceptions", "transactions"):
        assert both[key] == alone[key]
    assert [status for status, _, _ in both["answers"]] == [200, 500]
    assert [kind for _, kind, _ in both["exceptions"]] == ["ValueError"]
    assert len(both["transactions"]) == 2
    assert both["recorded"] == [200, 500]
    assert both["counted"] == 2
    assert alone["counted"] == 0
