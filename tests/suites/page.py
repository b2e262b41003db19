"""The section of docs/reliability.md about other people's suites."""

from collections.abc import Sequence

from tests.suites.plan import DIFFERENCES, SUITES, SWALLOWED
from tests.suites.running import Compared

BEGIN = "<!-- begin: printed by `python -m tests.suites --markdown` -->"
END = "<!-- end of what `python -m tests.suites --markdown` prints -->"


def section(compared: Sequence[Compared]) -> str:
    """The whole section, as Markdown."""
    return "\n".join((BEGIN, *table(compared), "", *remarks(), END))


def table(compared: Sequence[Compared]) -> list[str]:
    """What was found: passed, failed, skipped; without us and with us."""
    return [
        "| suite | tests | passed, failed, skipped without us | with us | differ | recorded |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {one.suite.name} {one.version} | {len(one.without):,} | {_counts(one, 0)}"
            f" | {_counts(one, 1)} | {len(one.differences())} | {one.records:,} |"
            for one in compared
        ),
    ]


def remarks() -> list[str]:
    """What is left out, what differs and which errors of ours are swallowed, with reasons."""
    left_out = [
        f"- {suite.name}, `{argument}`: {reason}."
        for suite in SUITES
        for argument, reason in suite.left_out.items()
    ]
    differences = [f"- {suite}, `{test}`: {why}." for (suite, test), why in DIFFERENCES.items()]
    swallowed: dict[tuple[str, str], int] = {}
    for (suite, _, _), why in SWALLOWED.items():
        swallowed[suite, why] = swallowed.get((suite, why), 0) + 1
    return [
        "Left out:",
        "",
        *left_out,
        "",
        "Tests with another outcome, and why:",
        "",
        *(differences or ["- none."]),
        "",
        "Tests in which we swallow an error of ours (the outcome is the same), and why:",
        "",
        *(f"- {suite}, {count}: {why}." for (suite, why), count in sorted(swallowed.items())),
    ]


def _counts(one: Compared, side: int) -> str:
    counts = one.counts[side]
    failed = counts["failed"] + counts["error"] + counts["not collected"]
    passed = counts["passed"] + counts["xfailed"]
    return f"{passed:,}, {failed}, {counts['skipped']}"
