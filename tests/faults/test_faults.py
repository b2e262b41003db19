"""An error of ours, at any place that guards one, changes nothing for the app and tells no secret.

`driver.py` lets each guarded statement fail, one after the other, under requests to real apps.
"""

import ast
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import otel_apimetrics
from tests.faults.weaving import woven

ROOT = Path(__file__).parents[2]
PLACES_ELSEWHERE = {
    "apitally.exclude": "tests/exporters/apitally/test_errors.py",
    "apitally.mask_body": "tests/exporters/apitally/test_errors.py",
    "apitally.note": "tests/exporters/apitally/test_errors.py",
    "decoding.validation_errors": "tests/test_decoding.py",
    "ending.flush": "tests/test_ending.py",
    "ending.hand_on": "tests/test_ending.py",
    "forked.at_begin": "tests/prometheus/test_faults_of_workers.py",
    "forked.renew": "tests/test_forked.py",
    "frameworks.governor": "tests/frameworks/test_governing.py",
    "frameworks.response_hook": "tests/exporters/readme/test_documentation.py",
    "hooks.timeout": "tests/test_asking.py",
    "gateway.connection": "tests/gateway/test_receiver.py",
    "gateway.receive": "tests/gateway/test_receiver.py",
    "gateway.sink": "tests/gateway/test_receiver.py",
    "moesif.cohorts": "tests/exporters/moesif/test_governance.py",
    "moesif.rules": "tests/exporters/moesif/test_governance.py",
    "moesif.config": "tests/exporters/moesif/test_moesif.py",
    "prometheus.appear": "tests/prometheus/test_directory.py",
    "prometheus.authorize": "tests/prometheus/test_endpoint.py",
    "prometheus.convert": "tests/prometheus/test_flask_decorators.py",
    "prometheus.fold": "tests/prometheus/test_directory.py",
    "prometheus.inherit": "tests/prometheus/test_inheritance.py",
    "prometheus.metric": "tests/prometheus/test_scrape.py",
    "prometheus.multiprocess": "tests/compat/prometheus_flask_exporter/test_multiprocess.py",
    "prometheus.observable": "tests/prometheus/test_collectors.py",
    "prometheus.port": "tests/prometheus/test_faults_of_workers.py",
    "prometheus.read": "tests/prometheus/test_directory.py",
    "prometheus.registry": "tests/prometheus/test_scrape.py",
    "prometheus.sample": "tests/prometheus/test_collectors.py",
    "prometheus.scrape": "tests/prometheus/test_endpoint.py",
    "prometheus.tell": "tests/prometheus/test_faults_of_workers.py",
    "prometheus.worker": "tests/prometheus/test_collectors.py",
    "prometheus.worker_answer": "tests/prometheus/test_faults_of_workers.py",
    "prometheus.worker_end": "tests/prometheus/test_directory.py",
    "prometheus.worker_leave": "tests/prometheus/test_faults_of_workers.py",
    "prometheus.write": "tests/prometheus/test_directory.py",
    "shortening": "tests/exporters/test_body_limits.py",
    "spool.put": "tests/exporters/test_spool.py",
    "spool.move": "tests/exporters/test_spool.py",
    "spool.read": "tests/exporters/test_spool.py",
    "spool.split": "tests/exporters/test_spool.py",
    "middleware.restore": "tests/frameworks/test_bare.py",
}
"""Places behind an exporter, at a process's ends or in one of our own, and the tests of them."""
BESIDE_REQUESTS = ("exporters.delivery", "exporters.loading")
"""Modules of exporters that a request runs through; the others run behind the queue, in a thread
that guards whatever they do, and tests/exporters lets their backends fail."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the driver told."""
    result = tmp_path_factory.mktemp("faults") / "result.json"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.faults.driver", str(result)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5_000:]
    return json.loads(result.read_text())  # type: ignore[no-any-return]


def absent_places() -> set[str]:
    """Places that nothing here can reach: FastAPI without a telemetry of its own, say."""
    from fastapi import FastAPI

    absent = set()
    if find_spec("opentelemetry.configuration") is None:
        absent.add("config.file")
    if not hasattr(FastAPI(), "_native_telemetry"):
        absent.add("starlette.decide")
    return absent


def is_behind_a_queue(point: dict[str, Any]) -> bool:
    module = str(point["module"])
    return module.startswith("exporters.") and module not in BESIDE_REQUESTS


def swallowed_places() -> set[str]:
    """What `swallow` is told anywhere in the sources but behind a queue, if it is a plain text."""
    found = set()
    for path in Path(otel_apimetrics.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "swallow" in ast.unparse(node.func):
                place = node.args[0]
                if isinstance(place, ast.Constant) and not place.value.startswith("exporter."):
                    found.add(place.value)
    return found


def test_every_guarded_statement_is_made_to_fail(told):
    expected = PLACES_ELSEWHERE.keys() | absent_places()
    missed = [point for point in told["missed"] if point["place"] not in expected]
    assert [point["id"] for point in missed if not is_behind_a_queue(point)] == []
    assert len(told["passed"]) > 100


def test_every_place_is_counted_by_its_name_or_tested_elsewhere(told):
    assert swallowed_places() - set(told["places"]) == PLACES_ELSEWHERE.keys() | absent_places()
    for place, file in PLACES_ELSEWHERE.items():
        assert f'"{place}"' in (ROOT / file).read_text()


@pytest.mark.parametrize(
    "problem",
    [
        "another answer", "raised into the process", "not provoked", "not counted",
        "raw in the log", "raw in what left", "left open", "left in flight", "left current",
    ],
)  # fmt: skip
def test_no_fault_shows(told, problem):
    assert {k: v for k, v in told["problems"].items() if any(problem in one for one in v)} == {}


def test_nothing_else_is_wrong(told):
    assert told["problems"] == {}


def test_the_weaver_puts_a_point_before_each_statement_that_is_guarded(tmp_path):
    source = tmp_path / "module.py"
    source.write_text(
        "try:\n    first()\n    second()\n"
        "except Exception as error:\n    _guard.swallow('a.b', error, reveal=True)\n"
        "try:\n    other()\nexcept Exception:\n    raise\n"
    )
    code, points = woven(source, "module")
    assert [(p.line, p.place, p.reveals) for p in points] == [(2, "a.b", True), (3, "a.b", True)]
    calls: list[str] = []
    names = {"__point_of_failure__": calls.append, "_guard": None}
    exec(code, {**names, **{n: lambda n=n: calls.append(n) for n in ("first", "second", "other")}})
    assert calls == ["module:2 a.b", "first", "module:3 a.b", "second", "other"]
