"""The command: `python -m benchmarks`."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks import measure, report
from benchmarks.arguments import at_least
from benchmarks.variants import FRAMEWORKS, Variant, named, of

_TOP = 30


def main(arguments: list[str] | None = None) -> None:
    """Measure and print, or profile and print."""
    asked = _parser().parse_args(arguments)
    if asked.profile is not None:
        framework, variant = asked.profile
        functions = measure.profile(framework, variant, asked.requests)
        print(report.hot_functions(functions, _TOP))
        return
    about = report.machine()
    print(report.header(about))
    print(f"rounds: {asked.rounds} of {asked.requests} requests a variant")
    raw = {}
    marks: list[report.Mark] = []
    for framework in [asked.only] if asked.only else FRAMEWORKS:
        blocks = measure.measure(framework, asked.rounds, asked.requests)
        print(f"\n{report.table(framework, blocks)}", flush=True)
        raw[framework] = measure.as_json(blocks)
        marks += report.marks(framework, report.costs(report.rows(blocks)))
    print(f"\n{report.verdicts(marks)}")
    if asked.json is not None:
        found = [{**asdict(mark), "passed": mark.passed} for mark in marks]
        text = json.dumps({"about": about, "blocks": raw, "marks": found}, indent=1)
        asked.json.write_text(f"{text}\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=at_least(1), default=9, help="blocks a variant; default 9")
    parser.add_argument(
        "--requests", type=at_least(1), default=1_000, help="requests a block; default 1000"
    )
    parser.add_argument("--only", choices=FRAMEWORKS, help="one framework")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the raw blocks there")
    parser.add_argument(
        "--profile",
        type=_framework_and_variant,
        metavar="FRAMEWORK/VARIANT",
        help="profile one variant instead of measuring, for example flask/own-full",
    )
    return parser


def _framework_and_variant(text: str) -> tuple[str, Variant]:
    framework, _, name = text.partition("/")
    try:
        return framework, named(framework, name)
    except KeyError:
        names = [f"{known}/{variant.name}" for known in FRAMEWORKS for variant in of(known)]
        raise argparse.ArgumentTypeError(f"choose from {', '.join(names)}") from None


if __name__ == "__main__":
    main()
