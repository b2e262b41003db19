"""The listing for people: changed lines, what changed in them, and by which rule."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from otel_apimetrics.cli.paint import Paint, plain
from otel_apimetrics.cli.parts import Part
from otel_apimetrics.cli.pretty import pretty
from otel_apimetrics.cli.segments import MARKS, Block, Segment, blocks, segments, shortened
from otel_apimetrics.cli.survivors import Secret, hide_all
from otel_apimetrics.redaction.explain import ALONE, Explanation

_LONG: Final = 120
"""Characters of a line from which JSON and pairs are shown one a line."""
_CLIPPED: Final = 160
"""Characters of a piece that did not change from which its middle is left out."""
_KEPT: Final = 60
"""Characters that are left at either end of it."""
_WRITTEN: Final = re.compile(rf"\[REDACTED:[^\]\n]{{1,128}}\]|{ALONE.pattern}")
"""A mark as production writes it."""


class _View(NamedTuple):
    """The three sides of a part, in lines."""

    before: list[str]
    noted: list[str]
    after: list[str]
    rules: list[list[str]]
    """What changed each of the noted lines."""
    otherwise: str
    """What changed a line that has no mark."""
    remark: str


class Listing:
    """Writes what a redaction changes.

    Args:
        paint: writes the colours.
        show: show what is taken out, instead of its first two characters.
        secrets: never shown.
    """

    def __init__(self, paint: Paint, *, show: bool, secrets: Sequence[Secret]) -> None:
        self._paint: Final = paint
        self._show: Final = show
        self._secrets: Final = secrets

    def lines(self, part: Part) -> Iterator[str]:
        """Give the lines of one part; none where it does not change."""
        explanation = part.explanation
        if not explanation.changed and not explanation.findings:
            return
        if part.path:
            yield self._paint("heading", f"{part.path}{f' ({part.title})' if part.title else ''}")
        if explanation.after is None and not explanation.noted:
            rule = explanation.findings[0].rule
            yield f"  Nothing of it is recorded.{self._rules([rule])}"
            return
        yield from self._diff(explanation, _view(part))

    def _diff(self, explanation: Explanation, view: _View) -> Iterator[str]:
        secrets = {number: finding.secret for number, finding in explanation.numbers}
        noted = list(blocks(view.before, view.noted, secrets))
        of_line = {line: block for block in noted for line in range(block.start, block.end)}
        parallel = len(view.after) == len(view.noted)
        pairs = noted if parallel else list(blocks(view.before, view.after))
        if view.remark:
            yield self._paint("place", view.remark)
        shown = -1
        for at, block in enumerate(pairs):
            if block.same:
                continue
            if block.start != shown and len(view.before) > 1:
                yield self._paint("place", f"@@ line {block.start + 1} @@")
                yield from self._context(view.before[max(shown, block.start - 1, 0) : block.start])
            inner = dict.fromkeys(of_line.pop(line) for line in _lines(block) if line in of_line)
            yield from self._change(view, block, list(inner), secrets)
            shown = block.end
            if at + 1 < len(pairs) and pairs[at + 1].same:
                yield from self._context(view.before[block.end : block.end + 1])
                shown += 1

    def _context(self, lines: Sequence[str]) -> Iterator[str]:
        for line in lines:
            yield f"  {_clipped(plain(self._hide(line)))}"

    def _change(
        self, view: _View, block: Block, inner: Sequence[Block], secrets: dict[int, str]
    ) -> Iterator[str]:
        added = view.after[block.other_start : block.other_end]
        rules = ""
        for part in inner:
            before = "\n".join(view.before[part.start : part.end])
            noted = "\n".join(view.noted[part.other_start : part.other_end])
            found = chain.from_iterable(view.rules[part.other_start : part.other_end])
            rules = self._rules(list(dict.fromkeys(found)) or [view.otherwise])
            removed = [self._minus(line) for line in self._lines_of(before, noted, secrets)]
            # Behind what was written instead, where that is clear.
            removed[-1] += "" if added and len(inner) == 1 else rules
            yield from removed
        for at, line in enumerate(added, 1):
            yield self._plus(line) + (rules if at == len(added) and len(inner) == 1 else "")

    def _lines_of(self, before: str, noted: str, secrets: dict[int, str]) -> list[list[Segment]]:
        """Split what is shown of a text into lines."""
        lines: list[list[Segment]] = [[]]
        for text, taken in segments(before, noted, secrets):
            shown = shortened(text) if taken and not self._show else self._hide(text)
            first, *others = shown.split("\n")
            lines[-1].append(Segment(first, taken))
            lines += [[Segment(line, taken)] for line in others]
        return lines

    def _minus(self, line: Sequence[Segment]) -> str:
        written = [
            self._paint("secret", text) if taken else self._paint("removed", _clipped(text))
            for text, taken in line
        ]
        return self._paint("removed", "- ") + "".join(written)

    def _plus(self, line: str) -> str:
        line = self._hide(line)
        written = [self._paint("added", "+ ")]
        done = 0
        for mark in _WRITTEN.finditer(line):
            literal = line[done : mark.start()]
            written += (self._paint("added", _clipped(literal)), self._paint("mark", mark[0]))
            done = mark.end()
        return "".join((*written, self._paint("added", _clipped(line[done:]))))

    def _rules(self, rules: Sequence[str]) -> str:
        return self._paint("rule", f"  ← {self._hide(', '.join(rules))}")

    def _hide(self, text: str) -> str:
        return hide_all(self._secrets, text)


def summary(parts: Sequence[Part], paint: Paint, secrets: Sequence[Secret]) -> Iterator[str]:
    """Give a table of rules and how often each found something, then the sum."""
    counts = Counter(finding.rule for part in parts for finding in part.explanation.findings)
    if not counts:
        yield "Nothing would be masked."
        if any(part.explanation.changed for part in parts):
            yield "Some of it is left out or written in another way."
        return
    names = {rule: plain(hide_all(secrets, rule)) for rule in counts}
    width = max(len("Rule"), *map(len, names.values()))
    yield paint("heading", f"{'Rule':{width}}  Found")
    for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{names[rule]:{width}}  {count:>5}"
    found = counts.total()
    yield ""
    yield (
        f"{found} {'place' if found == 1 else 'places'} would be masked,"
        f" by {len(counts)} {'rule' if len(counts) == 1 else 'rules'}."
    )


def _view(part: Part) -> _View:
    explanation = part.explanation
    sides = [
        side.replace("\r\n", "\n").removesuffix("\n")
        for side in (explanation.before, explanation.noted, explanation.after or "")
    ]
    whole = [side.split("\n") for side in sides]
    is_long = any(len(line) > _LONG for side in whole for line in side)
    uneven = len({len(side) for side in whole}) > 1
    remark = ""
    if part.is_json and (is_long or uneven):
        indented = [pretty(side) for side in sides]
        if all(side is not None for side in indented):
            whole = [str(side).split("\n") for side in indented]
            if explanation.masked != explanation.after:
                # The comma before a member that is removed goes with it.
                whole = [[line.removesuffix(",") for line in side] for side in whole]
            remark = "(shown one member a line; line breaks are not part of it)"
    elif is_long and not uneven and len(whole[0]) == 1 and _is_pairs(sides[0]):
        whole = [side.replace("&", "&\n").split("\n") for side in sides]
        remark = "(shown one pair a line; line breaks are not part of it)"
    if explanation.after is None:
        whole[2] = []
    before, noted, after = whole
    unmarked = [finding.rule for finding in explanation.findings if not finding.mark]
    rules = _rules_of(noted, explanation)
    return _View(before, noted, after, rules, (unmarked or ["rewritten"])[0], remark)


def _is_pairs(text: str) -> bool:
    return "&" in text and " " not in text


def _lines(block: Block) -> range:
    return range(block.start, block.end)


def _rules_of(noted: Sequence[str], explanation: Explanation) -> list[list[str]]:
    """Name what changed each line."""
    numbers = dict(explanation.numbers)
    alone = iter(explanation.alone)
    rules: list[list[str]] = []
    for line in noted:
        rules.append([])
        for token in MARKS.finditer(line):
            number = token[1] or token[2]
            finding = numbers.get(int(number)) if number else next(alone, None)
            rules[-1] += () if finding is None else (finding.rule,)
    return rules


def _clipped(text: str) -> str:
    if len(text) <= _CLIPPED:
        return text
    left_out = len(text) - 2 * _KEPT
    return f"{text[:_KEPT]} ⋯ {left_out} characters ⋯ {text[-_KEPT:]}"
