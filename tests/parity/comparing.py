"""Compares what two senders told a vendor, field by field."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT = "(absent)"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PORT = re.compile(r":\d{5}\b")
"""Others in each run."""


@dataclass(frozen=True)
class Difference:
    """A difference that is meant to be.

    `field` and `step` are expressions for the whole of a flattened name ("request.headers.host")
    and of a step's name; letter case of the field does not matter.
    """

    field: str
    step: str
    framework: str
    reason: str

    def covers(self, field: str, step: str, framework: str) -> bool:
        """Tell whether this is about a field of a step."""
        return (
            re.fullmatch(self.field, field) is not None
            and re.fullmatch(self.step, step) is not None
            and re.fullmatch(self.framework, framework) is not None
        )


@dataclass(frozen=True)
class Found:
    """A difference that is there."""

    step: str
    field: str
    theirs: Any
    ours: Any


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give the leaves of a JSON-like value by their paths, in lower case."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from flat(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from flat(item, f"{path}[{index}]")
    else:
        yield path.lower(), value


def differences(
    steps: Iterable[str],
    theirs: Mapping[str, Any],
    ours: Mapping[str, Any],
    same_shape: Mapping[str, str],
) -> list[Found]:
    """List what differs.

    Args:
        steps: names.
        theirs: what the vendor's SDK told, by step.
        ours: what ours told.
        same_shape: fields that are never the same (times, ids): an expression of the field to
            one that the values of both sides must match.
    """
    found: list[Found] = []
    for step in steps:
        if (step in theirs) != (step in ours):
            found.append(Found(step, "the event", step in theirs, step in ours))
            continue
        left, right = dict(flat(theirs.get(step, {}))), dict(flat(ours.get(step, {})))
        for field in sorted(left.keys() | right.keys()):
            pair = left.get(field, ABSENT), right.get(field, ABSENT)
            if not _alike(field, *pair, same_shape):
                found.append(Found(step, field, *pair))
    return found


def _alike(field: str, left: Any, right: Any, same_shape: Mapping[str, str]) -> bool:
    for name, shape in same_shape.items():
        if re.fullmatch(name, field):
            return all(re.fullmatch(shape, str(value)) for value in (left, right))
    return type(left) is type(right) and left == right


def table(found: Mapping[str, list[Found]], known: Iterable[Difference]) -> str:
    """Write the differences that are there as rows of Markdown, a row a reason.

    Args:
        found: by framework.
        known: in the order of the rows.
    """
    rows = ["| field | requests | vendor's SDK | ours | why |", "| --- | --- | --- | --- | --- |"]
    for difference in known:
        covered = [
            (framework, one)
            for framework, all_found in found.items()
            for one in all_found
            if difference.covers(one.field, one.step, framework)
        ]
        if not covered:
            continue
        fields = sorted({re.sub(r"\[\d+\]", "[]", one.field) for _, one in covered})
        names = sorted({f"{one.step} ({framework})" for framework, one in covered})
        shown = names if len(names) <= 4 else [*names[:3], f"and {len(names) - 3} more"]
        _, example = covered[0]
        cells = (
            ", ".join(f"`{field}`" for field in fields[:4]) + (", ..." if len(fields) > 4 else ""),
            ", ".join(shown), _shown(example.theirs), _shown(example.ours), difference.reason,
        )  # fmt: skip
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _shown(value: Any) -> str:
    if value == ABSENT:
        return "absent"
    text = _UUID.sub("UUID", json.dumps(value, ensure_ascii=False))
    text = _PORT.sub(":PORT", text)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`".replace("\n", " ")
