"""The text that the Collector reads: YAML with remarks."""

import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Final

from otel_apimetrics.collector_rules.dialect import escaped, printable
from otel_apimetrics.collector_rules.looks import MARK
from otel_apimetrics.collector_rules.names import NameExpressions
from otel_apimetrics.collector_rules.remarks import (
    DIFFERS,
    HEAD,
    METRICS,
    NUMBERS,
    SERVICE,
    TOKENS,
    TRANSFORM,
)
from otel_apimetrics.collector_rules.shapes import Shape, fast, shapes, slow, together
from otel_apimetrics.collector_rules.statements import contexts, dropped_bodies, looks
from otel_apimetrics.collector_rules.words import ATTRIBUTE, last_step
from otel_apimetrics.redaction.headers import _MASKED, _MASKED_STARTS, SECRET_ENDS
from otel_apimetrics.redaction.marks import MARKED
from otel_apimetrics.redaction.policy import RedactionPolicy
from otel_apimetrics.redaction.vocabulary import HOMONYMS

_WIDTH: Final = 92


def rules(policy: RedactionPolicy) -> str:
    """Write the redaction rules of a policy as a configuration of the Collector.

    Give the text to the Collector as one more `--config` file behind collector.yaml, or paste its
    processors. Each expression is in Go's dialect of regular expressions (RE2), so its time is
    linear; a rule without an equal is named in a remark, with what is looser or left out.

    Args:
        policy: the one that the apps have.

    Returns:
        YAML 1.2.
    """
    names, found = NameExpressions(policy), shapes(policy)
    drops, remarks = dropped_bodies(policy)
    lines = [
        *_remark(HEAD.splitlines(), indent=0, fill=False),
        *_remark(_policy_remarks(policy, names, remarks), indent=0),
        "",
        "processors:",
        *_transform(names, found, drops),
        *_redaction(names, found),
        *SERVICE.splitlines(),
    ]
    return "\n".join(lines) + "\n"


def print_rules(policy: RedactionPolicy) -> None:
    """Write what `rules` gives to the standard output."""
    sys.stdout.write(rules(policy))


def _policy_remarks(
    policy: RedactionPolicy, names: NameExpressions, remarks: Sequence[str]
) -> list[str]:
    said = ["Where it differs from the rules in the app:", *DIFFERS]
    said += [f"- {printable(text)}" for text in remarks]
    for path in policy.deny:
        if "." in path:
            step = last_step(path)
            became = f"each `{printable(step)}` is masked, wherever it stands" if step else ""
            said.append(f"- deny {printable(path)}: {became or 'LEFT OUT, it has no name'}.")
    said += [
        f"- allow {printable(path)}: not honoured, a path is not known here; its names stay masked."
        for path in policy.allow
        if "." in path
    ]
    said += [
        f"- allow: attributes are not masked for a key with `{word}` behind a sensitive word."
        for word in sorted(names.let_go())
    ]
    if policy.mask != "mask":
        said.append(f'- mask "{policy.mask}": the Collector writes "****".')
    if policy.callback is not None:
        said.append("- LEFT OUT: your callback, which is code.")
    return said


def _transform(names: NameExpressions, found: Sequence[Shape], drops: Sequence[str]) -> list[str]:
    values = together(found)
    written = looks(names, values)
    anchors: dict[str, bool] = {}
    lines = [
        "  transform/apimetrics:",
        *_remark([TRANSFORM], indent=4),
        "    error_mode: propagate",
    ]
    by_signal = groupby(
        contexts(values), key=lambda one: "log" if one.context == "log" else "trace"
    )
    for signal, group in by_signal:
        lines.append(f"    {signal}_statements:")
        if signal == "trace" and drops:
            lines += _group("span", [_yaml(text) for text in drops])
        for one in group:
            middle = [
                _anchored(f"{kind}_{number}", text, anchors)
                for kind in one.looks
                for number, text in enumerate(written[kind], 1)
            ]
            before, after = map(_yaml, one.before), map(_yaml, one.after)
            lines += _group(one.context, [*before, *middle, *after])
    return lines


def _group(context: str, statements: Iterable[str]) -> list[str]:
    return [
        f"      - context: {context}",
        "        statements:",
        *(f"          - {statement}" for statement in statements),
    ]


def _anchored(name: str, text: str, anchors: dict[str, bool]) -> str:
    if name in anchors:
        return f"*{name}"
    anchors[name] = True
    return f"&{name} {_yaml(text)}"


def _redaction(names: NameExpressions, found: Sequence[Shape]) -> list[str]:
    tokens = [_MARKED, *((shape.remark, shape.expressions) for shape in fast(found))]
    return [
        "  redaction/apimetrics:",
        *_remark([TOKENS], indent=4),
        *_switches("debug"),
        *_list("allowed_values", _allowed(), anchored=True),
        *_list("blocked_key_patterns", _keys(names), anchored=True),
        *_list("blocked_values", tokens),
        "  redaction/apimetrics-numbers:",
        *_remark([NUMBERS], indent=4),
        *_switches("debug"),
        "    allowed_values: *allowed_values",
        *_list("blocked_values", [*_said(slow(found)), ("", (together(slow(found)),))]),
        "  redaction/apimetrics-metrics:",
        *_remark([METRICS], indent=4),
        *_switches("silent"),
        "    allowed_values: *allowed_values",
        "    blocked_key_patterns: *blocked_key_patterns",
        *_list("blocked_values", [("", (together(found),))]),
    ]


_Item = tuple[str, Sequence[str]]
"""A remark, and expressions."""
_MARKED: Final[_Item] = ("What `transform/apimetrics` has found.", (escaped(MARK),))


def _said(found: Iterable[Shape]) -> list[_Item]:
    return [(shape.remark, ()) for shape in found]


def _switches(summary: str) -> list[str]:
    return [
        "    allow_all_keys: true",
        "    redact_all_types: true",
        f"    summary: {summary}",
    ]


def _list(key: str, items: Sequence[_Item], *, anchored: bool = False) -> list[str]:
    lines = [f"    {key}: &{key}" if anchored else f"    {key}:"]
    for remark, expressions in items:
        lines += _remark([remark] if remark else [], indent=6)
        lines += [f"      - {_yaml(expression)}" for expression in expressions]
    return lines


def _allowed() -> list[_Item]:
    marked = printable(MARKED.pattern)
    mark = rf"(?:[A-Za-z0-9-]{{1,32}} )?{marked}"
    cookie = rf'[^"=;\s]{{1,256}}={marked}'
    attribute = (
        r'(?i:path|domain|expires|max-age|samesite|priority)=[^";]{0,256}'
        r"|(?i:secure|httponly|partitioned)"
    )
    cookies = rf"{cookie}(?:; ?(?:{cookie}|{attribute}))*"
    array = rf'^\["(?:{mark}|{cookies})"(?:,"(?:{mark}|{cookies})")*\]$'
    return [("What the app has masked as a whole; cookies keep their names.", (f"^{mark}$", array))]


def _keys(names: NameExpressions) -> list[_Item]:
    known = sorted(name for name in {*_MASKED, *HOMONYMS} if not names.allows(name))
    headers = "|".join(map(escaped, known))
    starts = "|".join(escaped(start) for start in _MASKED_STARTS)
    ends = "|".join(sorted(SECRET_ENDS - {"key"}))
    header = (
        r"(?i)^http\.(?:request|response)\.header\."
        rf"(?:{headers}|(?:{starts}).*|.*[-_](?:{ends}))$"
    )
    found: list[_Item] = [
        (
            "By the words at the end of the last part.",
            (rf"(?i)(?:^|\.)(?:{names.keys()})[^a-z0-9.]*[0-9]*$",),
        ),
        ("By the name of a header.", (header.replace(r"\-", "[_-]"),)),
    ]
    always = names.always(ATTRIBUTE)
    if always:
        found.append(("By a name to deny.", (rf"(?:^|\.)(?:{always})$",)))
    return found


def _remark(texts: Iterable[str], *, indent: int, fill: bool = True) -> list[str]:
    start = f"{' ' * indent}# "
    return [
        f"{start}{line}".rstrip()
        for text in texts
        for line in (wrap(text, _WIDTH, subsequent_indent="  ") if fill else [text])
    ]


def _yaml(text: str) -> str:
    """Write a scalar in single quotes, where a quote is doubled and nothing else is special."""
    return "'" + text.replace("$", "$$").replace("'", "''") + "'"
