"""Follows governance rules: which of them apply to a request, and what they make of it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Exchange, Headers
from otel_apimetrics.exporters.moesif.asked import Asked
from otel_apimetrics.exporters.moesif.rules import Kind, Rule, Values, read_rules
from otel_apimetrics.typing import Replacement

Cohorts = Mapping[str, Mapping[str, Values]]
"""By user or company: the rules in whose cohort it is, with the values of their merge tags."""
_Applied = tuple[Rule, Values]
_NONE: Final[Values] = {}
_JSON: Final = ("content-type", "application/json")


class Governance:
    """A `typing.Governor` of the rules that are set in Moesif.

    One thread reads documents while others ask: each reading replaces what was there as a whole.
    """

    def __init__(self) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._users: Cohorts = {}
        self._companies: Cohorts = {}
        self._document = b""
        self.reads_body = False

    @property
    def is_active(self) -> bool:
        """Tell whether there are rules."""
        return bool(self._rules)

    def read_config(self, document: bytes) -> bool:
        """Learn who is in which cohort. What cannot be read leaves it as it was.

        Returns:
            True where it could be read.
        """
        try:
            said = json.loads(document)
        except (ValueError, RecursionError) as error:
            _guard.swallow("moesif.cohorts", error)
            return False
        if isinstance(said, dict):
            self._users = _cohorts(said.get("user_rules"))
            self._companies = _cohorts(said.get("company_rules"))
        return True

    def read_rules(self, document: bytes) -> bool:
        """Compile other rules. A document that is none leaves them as they were.

        Returns:
            True where it could be read.
        """
        if document == self._document:
            return True
        found = read_rules(document)
        if found is not None:
            self._document = document
            self.reads_body = any(rule.reads_body for rule in found)
            self._rules = found
        return found is not None

    def before(self, exchange: Exchange, /, *, identified: bool) -> Replacement | None:
        """Block what can be told before the app is called: see `typing.Governor`."""
        rules = [rule for rule in self._rules if not rule.reads_body]
        asked = Asked(exchange)
        applied = list(_of_requests(rules, asked))
        if identified or exchange.consumer is not None:
            applied += self._of_users(rules, exchange, asked)
        said = _told(applied)
        return said if isinstance(said, Replacement) else None

    def starting(self, exchange: Exchange, /) -> Replacement | Headers:
        """Apply all rules: see `typing.Governor`."""
        asked = Asked(exchange)
        return _told(
            (
                *_of_requests(self._rules, asked),
                *self._of_companies(self._rules, exchange, asked),
                *self._of_users(self._rules, exchange, asked),
            )
        )

    def _of_companies(
        self, rules: Iterable[Rule], exchange: Exchange, asked: Asked
    ) -> Iterator[_Applied]:
        who = None if exchange.company is None else exchange.company.id
        return _of("company", rules, who, self._companies, asked)

    def _of_users(
        self, rules: Iterable[Rule], exchange: Exchange, asked: Asked
    ) -> Iterator[_Applied]:
        who = None if exchange.consumer is None else exchange.consumer.id
        return _of("user", rules, who, self._users, asked)


def _of_requests(rules: Iterable[Rule], asked: Asked) -> Iterator[_Applied]:
    return ((rule, _NONE) for rule in rules if rule.kind == "regex" and rule.matches(asked))


def _of(
    kind: Kind, rules: Iterable[Rule], who: str | None, cohorts: Cohorts, asked: Asked
) -> Iterator[_Applied]:
    """Give the rules that apply to a user or a company, or to one that is not known.

    Those of a cohort come first, in the order in which the configuration names them.
    """
    ours = {rule.id: rule for rule in rules if rule.kind == kind}
    if who is None:
        chosen = [(rule, _NONE) for rule in ours.values() if rule.is_for_unknown]
    else:
        cohort = cohorts.get(who, {})
        named = ((ours[each], values) for each, values in cohort.items() if each in ours)
        chosen = [(rule, values) for rule, values in named if rule.is_for_cohort]
        chosen += [
            (rule, _NONE)
            for rule in ours.values()
            if not rule.is_for_cohort and rule.id not in cohort
        ]
    return ((rule, values) for rule, values in chosen if rule.matches(asked))


def _told(applied: Iterable[_Applied]) -> Replacement | Headers:
    """Merge what rules say: of headers with one name the last, and the answer of the last block."""
    lines: dict[str, str] = {}
    last: _Applied | None = None
    for rule, values in applied:
        lines.update(rule.lines(values))
        if rule.block is not None:
            last = rule, values
    if last is None or last[0].block is None:
        return tuple(lines.items())
    rule, values = last
    body = rule.body(values)
    headers = dict([_JSON]) | lines if body else lines
    return Replacement(
        status=last[0].block.status,
        headers=tuple(headers.items()),
        body=body,
        blocked_by=rule.id,
    )


def _cohorts(said: Any) -> Cohorts:
    """Read `{"u1": [{"rules": "r1", "values": {"0": "Free"}}]}`; what is odd is left out."""
    found: dict[str, dict[str, Values]] = {}
    for who, entries in said.items() if isinstance(said, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            rule = entry.get("rules") if isinstance(entry, dict) else None
            if isinstance(rule, str):
                values = entry.get("values")
                said_of_it = values if isinstance(values, dict) else {}
                found.setdefault(who, {})[rule] = {k: str(v) for k, v in said_of_it.items()}
    return found
