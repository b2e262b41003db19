"""One run: an app, a Collector, all requests; and what of them came out."""

import functools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.collector_process import CONFIG, CollectorProcess
from tests.e2e.canaries import plan, search
from tests.e2e.canaries.fill import Step
from tests.e2e.canaries.search import Leak
from tests.e2e.canaries.serving import send, serving
from tests.redaction.corpus import Kind, Payload

_LOCKS: Final = ("redaction", "redaction/metrics", "transform/status")
_HOOKS: Final = 2_000_000
"""First trace id of the requests for hooks."""
_SHOWN: Final = 40
_REQUESTS: Final = "apimetrics_requests_total{"


@dataclass
class Harvest:
    """What came out."""

    steps: list[Step]
    by_trace: dict[str, list[tuple[str, str]]]
    """Texts of the spans, by trace id."""
    pages: dict[str, str]
    """What belongs to no trace: metrics, logs, the Prometheus page, what the app wrote."""
    echoed: list[Step]
    """Requests with ordinary bodies."""
    refused: list[str] = field(default_factory=list)
    """Requests that the app did not answer as planned."""

    @functools.cached_property
    def leaks(self) -> list[Leak]:
        """Each secret that is in its own trace."""
        return [
            leak
            for step in self.steps
            for leak in search.leaks(step, self.by_trace.get(step.trace, ()))
        ]

    @functools.cached_property
    def leaks_elsewhere(self) -> list[Leak]:
        everywhere = search.Everywhere(self.steps)
        found = [
            leak for where, text in self.pages.items() for leak in everywhere.leaks(where, text)
        ]
        return list({(leak.canary, leak.where): leak for leak in found}.values())

    def told(self, step: Step, attribute: str) -> list[str]:
        """Give the values of an attribute in the trace of a request."""
        texts = self.by_trace.get(step.trace, ())
        return [text for where, text in texts if where == f"attributes {attribute}"]

    @functools.cached_property
    def unseen(self) -> list[tuple[str, str]]:
        """Carrier and kind of each ordinary word that is not in its own trace."""
        found = []
        for step in self.steps:
            seen = "\n".join(text for _, text in self.by_trace.get(step.trace, ()))
            found += [(carrier, step.kind) for carrier, word in step.words if word not in seen]
        return found


def summary(rows: Iterable[Any]) -> str:
    """Tell the first few of many."""
    listed = [str(row) for row in rows]
    more = f"\n... and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"{len(listed)}:\n" + "\n".join(listed[:_SHOWN]) + more


def without_locks(directory: Path) -> Path:
    """Derive from our Collector's configuration one that passes everything on as it came."""
    document = yaml.safe_load((CONFIG / "collector.yaml").read_text())
    for pipeline in document["service"]["pipelines"].values():
        pipeline["processors"] = [name for name in pipeline["processors"] if name not in _LOCKS]
    for name in _LOCKS:
        del document["processors"][name]
    derived = directory / "without-locks.yaml"
    derived.write_text(yaml.safe_dump(document))
    return derived


def harvest(
    server: str,
    kinds: Iterable[Kind],
    directory: Path,
    config: Path,
    payloads: Iterable[Payload] = (),
    **extra: str,
) -> Harvest:
    """Send secrets of these kinds, and ordinary payloads, and gather what came out of it."""
    steps = list(plan.steps(kinds, validates=server == "fastapi"))
    plan.write_script(steps, directory / "script.jsonl")
    echoed = plan.echoes(payloads)
    steps = [*provoke_hooks(steps), *steps]
    collector = CollectorProcess(
        directory, configs=[config], environment={"OTELCOL_FILE_MAX_MB": "2000"}
    )
    with collector:
        with serving(server, collector, directory, **extra) as running:
            answered = send(running.port, [*steps, *echoed])
        page = counted(collector, len(answered))
    by_trace, pages = read(collector.file)
    pages["Prometheus page"] = "\n".join(set(re.findall(r'"([^"]*)"', page)))
    pages["stdout and stderr"] = running.log.read_text()
    refused = [
        f"{step.kind}, {step.path}: {status}" for step, status in answered if status != step.status
    ]
    return Harvest(steps, by_trace, pages, echoed, refused)


def counted(collector: CollectorProcess, total: int) -> str:
    """Give the Prometheus page once it knows of all requests."""

    def requests(page: str) -> float:
        lines = (line for line in page.splitlines() if line.startswith(_REQUESTS))
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    return collector.wait(collector.metrics_text, lambda page: requests(page) >= total)


def provoke_hooks(steps: list[Step]) -> list[Step]:
    """Repeat the first requests with a query, for hooks that fail and quote it."""
    asking = [step for step in steps if step.query][:3]
    return [
        Step(
            trace=f"{_HOOKS + at:032x}",
            kind=step.kind,
            method="GET",
            path="/hooks",
            query=step.query,
            canaries=[one for one in step.canaries if one.carrier == "query"],
            words=[row for row in step.words if row[0] == "query"],
        )
        for at, step in enumerate(asking)
    ]


def read(file: Path) -> tuple[dict[str, list[tuple[str, str]]], dict[str, str]]:
    """Sort the Collector's file: texts of spans by trace, and the rest by signal."""
    by_trace: dict[str, list[tuple[str, str]]] = defaultdict(list)
    rest: dict[str, list[str]] = defaultdict(list)
    with file.open() as lines:
        for line in lines:
            record = json.loads(line)
            for span in _spans(record):
                by_trace[span.pop("traceId")].extend(search.texts(span))
            for signal in record.keys() - {"resourceSpans"}:
                # A line for each text, so that the same ones are looked at once.
                rest[f"file, {signal}"] += [text for _, text in search.texts(record[signal])]
    return by_trace, {where: "\n".join(set(found)) for where, found in rest.items()}


def _spans(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in record.get("resourceSpans", ()):
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]
