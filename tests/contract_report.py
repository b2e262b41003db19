"""What the contract's tests proved, counted: into the file that `CONTRACT_REPORT` names.

A test takes part by `record_property`: "framework", "server" ("in-process" where there is none),
"examples" where it ran more than one, and either "case", the number of its HTTP case, or "cases",
rows passed and failed by case. The file is a JSON array, one object a framework and server.

    CONTRACT_REPORT=found.json python -m pytest tests/frameworks tests/servers
    python -m tests.contract_report found.json      the table of docs/reliability.md
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "CONTRACT_REPORT"
IN_PROCESS = "in-process"
CASES = {
    1: "chunked request",
    2: "body that the app never reads",
    3: "Expect: 100-continue",
    4: "early hints, trailers, push",
    5: "HEAD",
    6: "204, 304, 1xx",
    7: "content codings, bombs",
    8: "huge upload",
    9: "client gone",
    10: "cancelled, timed out, killed",
    11: "events, endless streams",
    12: "receive while streaming",
    13: "WebSocket",
    14: "files, pathsend, sendfile",
    15: "ranges",
    16: "encodings of bodies",
    17: "repeated headers",
    18: "odd header bytes",
    19: "odd paths",
    20: "odd methods",
    21: "404, 405, CORS",
    22: "mounted apps",
    23: "instrumented twice",
    24: "exceptions",
    25: "write, exc_info, close",
    26: "threads and tasks",
    27: "keep-alive, pipelining, HTTP/2",
    28: "proxies",
    29: "IPv6, UNIX sockets",
    30: "odd Host headers",
    33: "clock jumps",
    34: "exporter down",
    35: "many consumers",
    36: "content types that lie",
    37: "odd lengths",
    38: "hostile JSON",
    39: "health checks",
    40: "secrets in URLs",
}
_counts: dict[tuple[str, str], Counter[str]] = {}
_cases: dict[str, dict[int, list[int]]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a test that says what it is about."""
    said: dict[str, Any] = dict(report.user_properties)
    if "framework" not in said or (report.when != "call" and report.passed):
        return
    key = str(said["framework"]), str(said.get("server", IN_PROCESS))
    counts = _counts.setdefault(key, Counter(passed=0, failed=0, examples=0))
    counts["passed" if report.passed else "failed"] += 1
    counts["examples"] += int(said.get("examples", 1))
    cases = said.get("cases", {})
    if "case" in said:
        cases = {said["case"]: (int(report.passed), int(not report.passed))}
    for case, (passed, failed) in cases.items():
        told = _cases.setdefault(key[1], {}).setdefault(int(case), [0, 0])
        told[0] += passed
        told[1] += failed


def pytest_sessionfinish() -> None:
    """Write the counts where somebody asked for them."""
    path = os.environ.get(VARIABLE)
    if path:
        rows = [
            {"framework": framework, "server": server, **counts}
            for (framework, server), counts in sorted(_counts.items())
        ]
        found = {"tests": rows, "cases": _cases}
        Path(path).write_text(json.dumps(found, indent=1) + "\n")


def table(found: dict[str, Any]) -> str:
    """Give the cases by servers as a table, and the examples of the properties."""
    cases = found["cases"]
    servers = sorted(cases, key=lambda server: (server != IN_PROCESS, server))
    lines = [
        f"| HTTP case | {' | '.join(servers)} |",
        f"| --- |{' ---: |' * len(servers)}",
    ]
    for number, title in CASES.items():
        cells = [_cell(cases[server].get(str(number))) for server in servers]
        lines.append(f"| {number}. {title} | {' | '.join(cells)} |")
    examples = [row for row in found["tests"] if row["examples"] > row["passed"] + row["failed"]]
    lines += ["", "Examples that the properties ran:", ""]
    lines += [f"- {row['framework']}: {row['examples']:,}, {_outcome(row)}" for row in examples]
    return "\n".join(lines)


def _outcome(row: dict[str, Any]) -> str:
    return f"{row['failed']} tests failed" if row["failed"] else "no difference"


def _cell(told: list[int] | None) -> str:
    if told is None:
        return ""
    passed, failed = told
    return f"{passed} of {passed + failed}" if failed else str(passed)


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text())))
