"""Instructions a request, counted by valgrind: they repeat, where time has neighbours.

The whole process counts, its exporting thread too. Each variant runs twice, with the requests and
with one alone, so that what a block takes whatever its length is not theirs.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from benchmarks import measure, report
from benchmarks.arguments import at_least
from benchmarks.processes import ROOT, Sink, environment, order
from benchmarks.variants import FRAMEWORKS, named

WARM_UP = 60
"""Requests before those that are counted: caches are full, and the interpreter has specialised."""
_COUNTED = ("floor", "own-full", "contrib", "adopted-off")
_COLLECTED = re.compile(r"Collected : (\d+)")


def main(arguments: list[str] | None = None) -> None:
    """Count and print."""
    asked = _parser().parse_args(arguments)
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not there; your system has it as a package of that name")
    print(report.header(report.machine()))
    marks: list[report.Mark] = []
    for framework in [asked.only] if asked.only else FRAMEWORKS:
        costs = _costs(framework, asked.requests)
        print("\n".join(_lines(framework, costs)), flush=True)
        marks += report.marks(framework, costs)
    print(report.verdicts(marks))


def _costs(framework: str, requests: int) -> dict[str, float]:
    """Give the instructions a request of each variant above the bare app."""
    counted = {name: count(framework, name, requests) for name in ("bare", *_COUNTED)}
    bare = counted.pop("bare")
    return {name: instructions - bare for name, instructions in counted.items()}


def count(framework: str, name: str, requests: int) -> float:
    """Count the instructions of a variant, a request.

    Raises:
        RuntimeError: valgrind has counted nothing.
    """
    print(f"{framework}/{name}: {requests} requests", file=sys.stderr, flush=True)
    with closing(Sink()) as sink, ThreadPoolExecutor() as threads:
        variant = named(framework, name)
        span = measure.span_to_say(framework, variant)
        told = order(framework, variant, sink.endpoint(name), span)
        with_one, with_them = threads.map(
            lambda more: _run(told, [WARM_UP, more]), [1, 1 + requests]
        )
    return (with_them - with_one) / requests


def _run(told: str, blocks: Sequence[int]) -> int:
    lines = "".join(json.dumps({"do": "block", "requests": block}) + "\n" for block in blocks)
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*valgrind, sys.executable, "-m", "benchmarks.worker", told],
        cwd=ROOT,
        env=environment(),
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    found = _COLLECTED.search(done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind ended with {done.returncode}: {done.stderr[-1_000:]}")
    return int(found[1])


def _lines(framework: str, costs: dict[str, float]) -> list[str]:
    return [
        f"{framework}/{name}: {cost:,.0f} instructions a request above the bare app"
        for name, cost in costs.items()
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Some ten minutes for both frameworks: under valgrind a program takes fifty times"
        " as long.",
    )
    parser.add_argument(
        "--requests", type=at_least(1), default=200, help="that are counted; default 200"
    )
    parser.add_argument("--only", choices=FRAMEWORKS, help="one framework")
    return parser


if __name__ == "__main__":
    main()
