"""How many calls Moesif wants to see, as its users set it in Moesif (`GET /v1/config`)."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Exchange, evolve
from otel_apimetrics.exporters.moesif.expressions import Expression, expression

_ALL: Final = 100.0


@dataclass(frozen=True, slots=True)
class _Rule:
    conditions: tuple[tuple[str, Expression], ...]
    rate: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Percentages by rule, user and company; all calls, where nothing is said."""

    rules: tuple[_Rule, ...] = ()
    users: Mapping[str, float] = field(default_factory=dict)
    companies: Mapping[str, float] = field(default_factory=dict)
    default: float = _ALL

    def of(self, exchange: Exchange) -> float:
        """Give the percentage of an exchange: the first rule, then its user, then its company."""
        for rule in self.rules:
            if all(wanted.finds(_at(path, exchange)) for path, wanted in rule.conditions):
                return rule.rate
        consumer, company = exchange.consumer, exchange.company
        if consumer is not None and consumer.id in self.users:
            return self.users[consumer.id]
        if company is not None and company.id in self.companies:
            return self.companies[company.id]
        return self.default


class Sampling:
    """Thins exchanges as the configuration says. Used by one thread at a time."""

    def __init__(self) -> None:
        self.rates = Rates()

    def read_config(self, document: bytes) -> bool:
        """Follow other rates. A document that cannot be read leaves them as they were.

        Returns:
            True where it could be read.
        """
        found = read_rates(document)
        if found is not None:
            self.rates = found
        return found is not None

    def thinned(self, exchange: Exchange) -> Exchange | None:
        """Give an exchange with its weight, `None` where it is left out."""
        rate = self.rates.of(exchange)
        if rate >= _ALL:
            return exchange
        if random.random() * _ALL >= rate:  # noqa: S311  sampling is no secret
            return None
        return evolve(exchange, weight=exchange.weight * _ALL / rate)


def read_rates(document: bytes) -> Rates | None:
    """Read Moesif's configuration. What is odd in it thins nothing, with one line in the log.

    Returns:
        The rates; `None` where the document is no JSON.
    """
    try:
        said = json.loads(document)
    except (ValueError, RecursionError) as error:
        _guard.swallow("moesif.config", error)
        return None
    if not isinstance(said, dict):
        return Rates()
    default = {"": said["sample_rate"]} if "sample_rate" in said else {}
    return Rates(
        rules=_rules(said.get("regex_config")),
        users=_by_id("user_sample_rate", said.get("user_sample_rate")),
        companies=_by_id("company_sample_rate", said.get("company_sample_rate")),
        default=_by_id("sample_rate", default).get("", _ALL),
    )


def _rate(value: Any) -> float | None:
    """Give a percentage; `None` for what is none, such as JSON's `NaN` of Python's."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        rate = float(value)
    except OverflowError:
        return None
    return min(max(rate, 0.0), _ALL) if isfinite(rate) else None


def _by_id(name: str, said: Any) -> dict[str, float]:
    rates = {key: _rate(value) for key, value in said.items()} if isinstance(said, dict) else {}
    found = {key: rate for key, rate in rates.items() if rate is not None}
    if len(found) < len(rates):
        _guard.warn(
            f"moesif.{name}",
            "In %s of Moesif's configuration %d of the rates are no percentages, and are ignored:"
            " mend them in Moesif.",
            name,
            len(rates) - len(found),
        )
    return found


def _rules(said: Any) -> tuple[_Rule, ...]:
    numbered = enumerate(said if isinstance(said, list) else (), 1)
    followed = (_followed(number, rule) for number, rule in numbered)
    return tuple(rule for rule in followed if rule is not None)


def _followed(number: int, said: Any) -> _Rule | None:
    try:
        return _rule(said)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        _guard.warn(
            f"moesif.sampling.{number}",
            "The sampling rule %d of Moesif's (regex_config) is not followed (%s): mend it in"
            " Moesif.",
            number,
            error if type(error) is ValueError else "it has not the form of a rule",
        )
        return None


def _rule(said: Any) -> _Rule:
    """Compile a rule.

    Raises:
        ValueError: what cannot be followed, in plain words; or another error of what is read.
    """
    rate = _rate(said.get("sample_rate")) if isinstance(said, Mapping) else None
    conditions = said.get("conditions") if isinstance(said, Mapping) else None
    if rate is None or not isinstance(conditions, list):
        raise ValueError("it has no rate, or no conditions")
    return _Rule(tuple(map(_condition, conditions)), rate)


def _condition(said: Any) -> tuple[str, Expression]:
    path = said.get("path") if isinstance(said, Mapping) else None
    if not isinstance(path, str) or path not in _PATHS:
        raise ValueError("a condition has a path that is not known")
    return path, expression(said.get("value"))


def _at(path: str, exchange: Exchange) -> str:
    request, response = exchange.request, exchange.response
    if path == "request.verb":
        return request.method
    if path == "request.ip_address":
        return request.client_address or ""
    if path == "request.route":
        return request.path or "/"
    return "" if response is None else str(response.status)


_PATHS: Final = frozenset(
    {"request.verb", "request.route", "request.ip_address", "response.status"}
)
