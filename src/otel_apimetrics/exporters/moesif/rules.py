"""Moesif's governance rules (`GET /v1/rules`), compiled when they arrive."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Headers
from otel_apimetrics.exporters.moesif.asked import Asked
from otel_apimetrics.exporters.moesif.expressions import Expression, expression

Kind: TypeAlias = Literal["regex", "company", "user"]
Condition: TypeAlias = tuple[str, Expression]
Values: TypeAlias = Mapping[str, str]
"""What stands for the merge tags of one rule, by their names."""

UNKNOWN: Final = "UNKNOWN"
"""What stands for a merge tag without a value, as in Moesif's SDKs."""
_KINDS: Final[Mapping[Any, Kind]] = {"regex": "regex", "company": "company", "user": "user"}
_BODY: Final = "request.body."
_FINAL: Final = range(200, 600)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_TAG: Final = re.compile(r"\{\{([^{}|]+)(?:\|([^{}]*))?\}\}")
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Block:
    """The answer of a rule that blocks."""

    status: int
    body: Any
    """As JSON has it; `None`: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule."""

    id: str
    kind: Kind
    is_for_cohort: bool
    """It applies to who is in its cohort, not to all others."""
    is_for_unknown: bool
    """It applies to who cannot be told, too."""
    conditions: tuple[tuple[Condition, ...], ...]
    """One of these sets has to match; none at all: every request does."""
    headers: Headers
    block: Block | None
    variables: frozenset[str]
    """Names of the merge tags."""

    @property
    def reads_body(self) -> bool:
        """Tell whether a condition is about the request's body."""
        return any(path.startswith(_BODY) for each in self.conditions for path, _ in each)

    def matches(self, asked: Asked) -> bool:
        """Tell whether a request is one that the rule is about."""
        return not self.conditions or any(
            all(_is_met(wanted, asked.at(path)) for path, wanted in each)
            for each in self.conditions
        )

    def lines(self, values: Values) -> Headers:
        """Give the rule's headers. One that its values make unfit for a header is left out."""
        filled = ((name, self._filled(value, values)) for name, value in self.headers)
        return tuple((name, value) for name, value in filled if _is_value(value))

    def body(self, values: Values) -> bytes:
        """Give the body of the answer, as Moesif's SDKs write it."""
        body = None if self.block is None else self.block.body
        return b"" if body is None else json.dumps(self._filled_in(body, values)).encode()

    def _filled_in(self, value: Any, values: Values) -> Any:
        if isinstance(value, str):
            return self._filled(value, values)
        if isinstance(value, dict):
            return {key: self._filled_in(each, values) for key, each in value.items()}
        if isinstance(value, list):
            return [self._filled_in(each, values) for each in value]
        return value

    def _filled(self, text: str, values: Values) -> str:
        def said(tag: re.Match[str]) -> str:
            name, default = tag[1], tag[2]
            if name not in self.variables:
                return tag[0]
            return values.get(name, UNKNOWN if default is None else default)

        return _TAG.sub(said, text) if self.variables else text


def _is_met(wanted: Expression, value: str | None) -> bool:
    return bool(value) and wanted.finds(value or "")


def _is_value(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable() and value == value.strip()


def read_rules(document: bytes) -> tuple[Rule, ...] | None:
    """Compile the rules. One that cannot be followed is left out, with one line in the log.

    Returns:
        The rules in their order; `None` where the document is none.
    """
    try:
        said = json.loads(document)
    except (ValueError, RecursionError) as error:
        _guard.swallow("moesif.rules", error)
        return None
    compiled_rules = map(_followed, said if isinstance(said, list) else ())
    return tuple(rule for rule in compiled_rules if rule is not None)


def _followed(said: Any) -> Rule | None:
    try:
        return _rule(said)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        _guard.warn(
            f"moesif.rule.{_id_of(said)}",
            "The governance rule %s of Moesif's is not followed (%s): mend it in Moesif.",
            _id_of(said),
            error if type(error) is ValueError else "it has not the form of a rule",
        )
        return None


def _id_of(rule: Any) -> str:
    told = str(rule.get("_id", "?") if isinstance(rule, dict) else "?")
    return ascii(told[:64])


def _rule(said: Mapping[str, Any]) -> Rule:
    """Compile a rule.

    Raises:
        ValueError: what cannot be followed, in plain words; or another error of what is read.
    """
    response = said.get("response") or {}
    if not isinstance(said["_id"], str) or said.get("type") not in _KINDS:
        raise ValueError("it has no id, or a type that is not known")
    return Rule(
        id=said["_id"],
        kind=_KINDS[said["type"]],
        is_for_cohort=said.get("applied_to") != "not_matching",
        is_for_unknown=said.get("applied_to_unidentified") is True,
        conditions=tuple(
            tuple(_conditions(each.get("conditions") or ()))
            for each in said.get("regex_config") or ()
        ),
        headers=tuple(_headers(response.get("headers") or {})),
        block=_block(response) if said.get("block") is True else None,
        variables=frozenset(str(each["name"]) for each in said.get("variables") or ()),
    )


def _conditions(said: Any) -> Iterator[Condition]:
    if not said:
        # A set without conditions matches nothing in Moesif's SDKs.
        yield "", expression("")
    for condition in said:
        if not isinstance(condition["path"], str):
            raise TypeError("the path of a condition is no text")
        yield condition["path"], expression(condition["value"])


def _headers(said: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, value in said.items():
        if not _NAME.fullmatch(name) or not _is_value(str(value)):
            raise ValueError("a header is none")
        yield name.lower(), str(value)


def _block(response: Mapping[str, Any]) -> Block:
    status, body = response.get("status"), response.get("body")
    if isinstance(status, bool) or not isinstance(status, int) or status not in _FINAL:
        raise ValueError("it blocks without a status from 200 to 599")
    if _is_deeper(body, _DEEPEST):
        raise ValueError("its body is nested too deep")
    return Block(status, body)


def _is_deeper(value: Any, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(_is_deeper(each, most - 1) for each in inner)
