"""What is masked, and by which rule: for those who try a policy before it goes live.

The redactor runs twice: once as in production, which gives the result, and once with marks that
are numbered, which tell the rule. Production pays nothing for it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from json.encoder import encode_basestring
from typing import Final, NamedTuple
from urllib.parse import quote

from otel_apimetrics.redaction.graphql import is_graphql
from otel_apimetrics.redaction.marks import FAILED, MARK, Marker
from otel_apimetrics.redaction.policy import RedactionPolicy
from otel_apimetrics.redaction.redactor import Redactor

Ask = Callable[[Redactor], str | None]
"""Asks a redactor for one text; `None`: it records nothing of it."""

NUMBERED: Final = re.compile(r"\[REDACTED:(?:#|%23)(\d{1,6})\]")
"""A mark with a number, in a query too, where a number sign is an escape."""
_NUMBER: Final = re.compile(r"(\d{1,6})\]")
ALONE: Final = re.compile(
    r"\[REDACTED(?::error)?\]|\[TRUNCATED:(\w{1,16})\]"
    r"|<file [\w.+-]{1,127}/[\w.+-]{1,127} \d{1,15} B(?:, cut)?>"
    r'|\\{0,15}"…\\{0,15}"'
)
"""What stands for something and has no number."""
_NAMED: Final = re.compile(
    r"""(?:<([\w:.-]{1,80})(?:\s[^<>]{0,200})?>|[\s;]([\w:.-]{1,80})\s?=\s?["']?)\Z"""
)
"""The tag or attribute before a mark, which is masked by its name."""
_BEFORE: Final = 300
"""Characters before a mark in which its name is looked for."""
_AROUND: Final = 8
"""Characters on one side of a mark that tell it from others."""
_FORM_SAFE: Final = "[]:/"
_PATH_SAFE: Final = "/[]:;=@&+,$!'()*"
_LONGEST_RULE: Final = 80
"""Characters of a rule's name that are told: a part of it comes from a request."""


class Note(NamedTuple):
    """What one number stands for."""

    secret: str
    rule: str
    last: str = ""
    """The last digits of a payment card."""
    nested: bool = False
    """It is a list or an object, as text."""

    def mark(self, marker: Marker, secret: str) -> str:
        """Give what a marker writes for a secret that is of the kind of this one."""
        if self.last:
            return marker.card(secret, self.last)
        return (marker.nested if self.nested else marker)(secret, self.rule)


class Notes(Marker):
    """Writes marks with a number, and keeps what each stands for. Not safe between threads."""

    def __init__(self) -> None:
        super().__init__("hash", b"unused")
        self.notes: Final[dict[int, Note]] = {}
        self._taken: frozenset[int] = frozenset()
        self._last = 0

    def begin(self, text: str) -> None:
        """Forget all, and leave out the numbers that a text may hold already."""
        self.notes.clear()
        self._taken = frozenset(map(int, _NUMBER.findall(text)))
        self._last = 0

    def card(self, card: str, last: str) -> str:
        """Give the mark of a payment card."""
        return self._numbered(Note(card, "value:card", last))

    def nested(self, text: str, rule: str) -> str:
        """Give the mark of a list or an object, as text."""
        return self._numbered(Note(text, rule, nested=True))

    def _mark(self, secret: str, rule: str) -> str:
        return self._numbered(Note(secret, rule))

    def _numbered(self, note: Note) -> str:
        self._last += 1
        while self._last in self._taken:
            self._last += 1
        self.notes[self._last] = note
        return f"[REDACTED:#{self._last}]"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is masked."""

    rule: str
    """ "name:", "header:" or "cookie:" and the name, "value:" and the rule of values; or one word:
    "error" (the redaction failed), "depth", "size", "parts", "operations", "length" or "items" (too
    much of it), "file", "cut" (the end of a body that was cut), "graphql" (its literals),
    "comments" (of JSON), "structure" (a piece of markup that is hidden as a whole), "media type"
    and "sensitive path" (nothing is recorded), "callback"."""
    mark: str
    """What is written instead; "" where nothing is."""
    start: int
    """Where the mark begins in `Explanation.masked`, characters."""
    end: int
    secret: str = ""
    """What was found, decoded; "" where only its place is known. Do not print it."""

    def __repr__(self) -> str:
        return f"Finding(rule={self.rule!r}, mark={self.mark!r}, start={self.start})"


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """One text, before and after its redaction."""

    before: str
    noted: str
    """With numbered marks: the findings of `numbers` by their number."""
    masked: str
    """With the marks of the policy. It is `after`, but where `after` leaves things out."""
    after: str | None
    """What production writes, by a redactor that knows nothing of notes; `None`: nothing."""
    findings: tuple[Finding, ...] = ()
    """In the order of `masked`."""
    numbers: tuple[tuple[int, Finding], ...] = ()
    alone: tuple[Finding | None, ...] = ()
    """What the marks without a number are, in their order; `None`: it came with the text."""
    exact: bool = True
    """False where the numbered run went another way than production, which marks inside of
    marks can bring about: then `masked` and the places are those of the numbered run."""

    @property
    def changed(self) -> bool:
        """Tell whether production writes something else than what came in."""
        return self.after != self.before


class Explainer:
    """Explains what a policy does to texts. Not safe between threads.

    Args:
        policy: as production has it. Its callback is called more than once a text.
    """

    def __init__(self, policy: RedactionPolicy) -> None:
        self.policy: Final = policy
        self._notes: Final = Notes()
        self._marker: Final = policy.marker()
        visible = replace(policy, mask="mask")
        self.redactor: Final = Redactor(policy)
        self._removes: Final = policy.mask == "remove"
        self._visible: Final = Redactor(visible) if self._removes else self.redactor
        self._noting: Final = Redactor(visible, mark=self._notes)

    def explain(self, before: str, ask: Ask, *, truncated: bool = False) -> Explanation:
        """Ask for a text's redaction, and tell what it found.

        Args:
            before: the text.
            ask: asks any one redactor for the redaction of it.
            truncated: `ask` says so of the text, too.
        """
        self._notes.begin(before)
        noted = ask(self._noting)
        if noted is None:
            return withheld(before, "media type")
        after = ask(self.redactor)
        masked = (ask(self._visible) or "") if self._removes else (after or "")
        placed = self._placed(noted, masked)
        exact = placed is not None
        if placed is None:
            masked = self._real(noted)
            placed = self._placed(noted, masked) or []
        alone = _alone(before, masked, placed, truncated=truncated)
        findings = [finding for _, finding in placed]
        findings += [finding for finding in alone if finding is not None]
        findings.sort(key=lambda finding: finding.start)
        if not findings and after != before:
            findings += self._unmarked(before)
        return Explanation(
            before, noted, masked, after, tuple(findings), tuple(placed), tuple(alone), exact
        )

    def _unmarked(self, before: str) -> Iterator[Finding]:
        """Tell what changes a text and leaves no mark."""
        if self.policy.callback is not None:
            yield Finding("callback", "", 0, 0)
        elif '"query"' in before or is_graphql(before):
            yield Finding("graphql", "", 0, 0)
        elif before.rstrip()[-1:] in ("}", "]") and ("/*" in before or "//" in before):
            yield Finding("comments", "", 0, 0)

    def _placed(self, noted: str, masked: str) -> list[tuple[int, Finding]] | None:
        """Find each numbered mark's place in the masked text; `None` where it differs elsewhere."""
        placed: list[tuple[int, Finding]] = []
        done = at = 0
        for token in NUMBERED.finditer(noted):
            number = int(token[1])
            if number not in self._notes.notes:
                continue
            literal = noted[done : token.start()]
            at += len(literal)
            mark = next((way for way in self._spellings(token) if masked.startswith(way, at)), None)
            if mark is None or not masked.startswith(literal, at - len(literal)):
                return None
            note = self._notes.notes[number]
            finding = Finding(self._rule(note), mark, at, at + len(mark), self._real(note.secret))
            placed.append((number, finding))
            at += len(mark)
            done = token.end()
        return placed if masked[at:] == noted[done:] else None

    def _spellings(self, token: re.Match[str]) -> tuple[str, ...]:
        """Give what the policy writes for a numbered mark, as it may be escaped there."""
        note = self._notes.notes.get(int(token[1]))
        if note is None:
            return (token[0],)
        mark = note.mark(self._marker, self._real(note.secret))
        escaped = encode_basestring(mark)[1:-1]
        if "#" in token[0]:
            return mark, escaped, encode_basestring(escaped)[1:-1]
        return tuple(
            quote(way, safe=safe) for way in (mark, escaped) for safe in (_FORM_SAFE, _PATH_SAFE)
        )

    def _real(self, text: str) -> str:
        """Write the marks of the policy. What is found may hold what was found before."""
        return NUMBERED.sub(lambda token: self._spellings(token)[0], text)

    def _rule(self, note: Note) -> str:
        kind, _, name = note.rule.partition(":")
        if kind != "value":
            # The name is a request's, and may itself be what another rule masks.
            name = " ".join(self._visible.text(self._real(name)).split())
        return f"{kind}:{name}"[:_LONGEST_RULE]


def withheld(before: str, rule: str) -> Explanation:
    """Explain a text of which nothing is recorded.

    Args:
        before: the text.
        rule: why ("media type", "sensitive path").
    """
    finding = Finding(rule, "", 0, 0, before)
    return Explanation(before, "", "", None, (finding,))


def _alone(
    before: str, masked: str, placed: list[tuple[int, Finding]], *, truncated: bool
) -> list[Finding | None]:
    """Find the marks that have no number, and tell those that were not in the text before."""
    numbered = {finding.start for _, finding in placed}
    marks = [mark for mark in ALONE.finditer(masked) if mark.start() not in numbered]
    there = list(ALONE.finditer(before))
    # One side of a mark that was there before may have changed, hardly both.
    lefts, rights = Counter(map(_left, there)), Counter(map(_right, there))
    found: list[Finding | None] = []
    for mark in marks:
        left, right = _left(mark), _right(mark)
        if lefts[left] > 0 or rights[right] > 0:
            lefts[left] -= 1
            rights[right] -= 1
            found.append(None)
        else:
            cut = truncated and mark.end() == len(masked)
            found.append(Finding(_why(mark, cut=cut), mark[0], *mark.span()))
    return found


def _left(mark: re.Match[str]) -> str:
    return mark.string[max(0, mark.start() - _AROUND) : mark.end()]


def _right(mark: re.Match[str]) -> str:
    return mark.string[mark.start() : mark.end() + _AROUND]


def _why(mark: re.Match[str], *, cut: bool) -> str:
    if mark[0] == FAILED:
        return "error"
    if mark[0] != MARK:
        return mark[1] or ("graphql" if "…" in mark[0] else "file")
    if cut:
        return "cut"
    window = mark.string[max(0, mark.start() - _BEFORE) : mark.start()]
    named = _NAMED.search(window)
    return f"name:{named[1] or named[2]}" if named else "structure"
