"""From blocks to a table and to the two marks."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.measure import Block, Blocks
from benchmarks.variants import named

FULL_CAPTURE = 1.3
"""Most that full capture may cost, in floors."""
ADOPTION = 0.2
"""Most that adopting contrib's span, bodies off, may add, in contrib's own cost."""

_DISTRIBUTIONS = (
    "otel-apimetrics",
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation",
    "flask",
    "fastapi",
)


_HEAD = (
    "| variant | us above bare | quartiles | serving thread | x floor | x contrib"
    " | spans | OTLP bytes | what it is |"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One variant; microseconds of CPU a request above the bare app."""

    name: str
    cost: float
    """Median over the rounds, each against the bare app of the same round."""
    low: float
    high: float
    """Quartiles."""
    thread: float
    """What of it the serving thread spent."""
    spans: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A promise, and whether this run kept it."""

    framework: str
    says: str
    value: float
    limit: float

    @property
    def passed(self) -> bool:
        """Tell whether the value is within the limit."""
        return self.value <= self.limit


def rows(blocks: Blocks) -> list[Row]:
    """Give the variants' costs, the bare app left out."""
    return [_row(name, taken, blocks["bare"]) for name, taken in blocks.items() if name != "bare"]


def _row(name: str, taken: list[Block], bare: list[Block]) -> Row:
    above = _above(taken, bare, lambda block: block.cpu)
    low, _, high = quantiles(above, n=4, method="inclusive") if len(above) > 1 else above * 3
    return Row(
        name=name,
        cost=median(above),
        low=low,
        high=high,
        thread=median(_above(taken, bare, lambda block: block.thread)),
        spans=median(block.spans for block in taken),
        bytes=median(block.bytes for block in taken),
    )


def _above(taken: list[Block], bare: list[Block], of: Callable[[Block], float]) -> list[float]:
    return [of(block) - of(base) for block, base in zip(taken, bare, strict=True)]


def costs(found: Sequence[Row]) -> dict[str, float]:
    """Give the cost of each variant by its name."""
    return {row.name: row.cost for row in found}


def marks(framework: str, cost: Mapping[str, float]) -> list[Mark]:
    """Hold the two promises against the costs, by variant, above the bare app."""
    contrib = cost["contrib"]
    return [
        Mark(
            framework,
            "full capture / floor",
            _ratio(cost["own-full"], cost["floor"]),
            FULL_CAPTURE,
        ),
        Mark(
            framework,
            "(adopted, bodies off - contrib) / contrib",
            _ratio(cost["adopted-off"] - contrib, contrib),
            ADOPTION,
        ),
    ]


def _ratio(cost: float, base: float) -> float:
    # A base of nothing is noise: a short block on a busy machine.
    return cost / base if base > 0 else float("inf")


def table(framework: str, blocks: Blocks) -> str:
    """Give a framework's costs as a Markdown table."""
    found = rows(blocks)
    cost = costs(found)
    bare = [block.cpu for block in blocks["bare"]]
    lines = [
        f"{framework}: {median(bare):.0f} us for the app alone, {min(bare):.0f} to {max(bare):.0f}",
        "",
        _HEAD,
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {row.name} | {row.cost:.0f} | {row.low:.0f} to {row.high:.0f} | {row.thread:.0f}"
        f" | {_ratio(row.cost, cost['floor']):.2f} | {_ratio(row.cost, cost['contrib']):.2f}"
        f" | {row.spans:g} | {row.bytes:.0f} | {named(framework, row.name).says} |"
        for row in found
    ]
    return "\n".join(lines)


def verdicts(found: Sequence[Mark]) -> str:
    """Give the marks, a line each."""
    return "\n".join(
        f"{'PASS' if mark.passed else 'FAIL'}  {mark.framework}: {mark.says}:"
        f" {mark.value:.2f}, at most {mark.limit}"
        for mark in found
    )


def machine() -> dict[str, str]:
    """Tell where this runs: processor, cores, load, versions."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else (0.0,)
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "load": f"{load[0]:.2f}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: version(name) for name in _DISTRIBUTIONS},
    }


def header(about: Mapping[str, str]) -> str:
    """Give what `machine` tells, a line each."""
    return "\n".join(f"{what}: {is_}" for what, is_ in about.items())


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    lines = (line.partition(":") for line in text.splitlines())
    return next((v.strip() for k, _, v in lines if k.strip() == "model name"), platform.machine())


def hot_functions(functions: list[list[Any]], top: int) -> str:
    """Give the most expensive functions of a profile: ours, then everybody's."""
    ours = [row for row in functions if "otel_apimetrics" in row[0]]
    total = sum(row[4] for row in functions)
    own = sum(row[4] for row in ours)
    head = f"{total:.0f} us a request under cProfile, {own:.0f} us of them in our own functions"
    return "\n\n".join((head, _listing("ours", ours, top), _listing("everybody's", functions, top)))


def _listing(title: str, functions: list[list[Any]], top: int) -> str:
    lines = [f"{title}, by own time:", "  own us   cum us    calls  function"]
    for file, line, name, calls, own, total in sorted(functions, key=lambda row: -row[4])[:top]:
        where = "" if file == "~" else f"  {'/'.join(Path(file).parts[-3:])}:{line}"
        lines.append(f"{own:8.1f} {total:8.1f} {calls:8.1f}  {name}{where}")
    return "\n".join(lines)
