"""Objects and lists that show the harmless sense of a word: tokens of a text, a talk.

What is spared here is walked through all the same, so each name and value in it is judged by
itself. In doubt nothing is spared.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_apimetrics.redaction.names import SETTING, Names, tokens
from otel_apimetrics.redaction.settings import opens_setting

VERSIONS: Final = re.compile(r"[\^~]\d{1,4}\.\d{1,4}\.\d{1,4}")
"""A range of versions (npm, Cargo, Composer): a dependency may have any name."""

_WORDS: Final = frozenset({"session", "token", "tokens"})
_EVENT: Final = frozenset(["abstract", "focus", "room", "speakers", "title", "topic"])
_HANDLES: Final = frozenset(["code", "hash", "id", "key", "session", "sid", "token", "value"])
_LARGEST: Final = 1_000_000
_SHORT: Final = re.compile(r"[A-Za-z]{1,15}|[\d.:/]{1,5}")

_NUMBER: Final = re.compile(r"-?\d[\d.eE+-]{0,30}")

_PLAIN: Final = re.compile(rf'(?:null|true|false|"{VERSIONS.pattern}")(?=[\s,}}\]])')

_Pairs = Sequence[tuple[str, Any]]


def opens_plain(text: str, start: int, name: str, names: Names) -> bool:
    """Tell whether JSON text has a value at a place that is no secret under this name.

    It is a null, true, false or range of versions, unless the policy denies the name; or what a
    name that is about a secret holds.
    """
    if names[name] == SETTING:
        return opens_setting(text, start)
    return _PLAIN.match(text, start) is not None and not names.is_denied(name)


def may_open(name: str, names: Names) -> bool:
    """Tell whether an object or a list under this name may show a harmless sense of it."""
    return "_".join(tokens(name)) in _WORDS and not names.is_denied(name)


def is_plain(name: str, member: Any, around: _Pairs) -> bool:
    """Tell whether a member is plainly no secret, as far as its own content or siblings tell.

    Args:
        name: one that may open, or any for a string.
        member: its value.
        around: all members of its object.
    """
    if isinstance(member, str):
        return VERSIONS.fullmatch(member) is not None or _is_term(name, member, around)
    word = "_".join(tokens(name))
    inside = _members(member)
    if inside is not None:
        if word == "session":
            return not _EVENT.isdisjoint(inside) and _tells_no_handle(member)
        # A token of a blockchain.
        return word == "token" and _is_count(inside.get("decimals")) and "symbol" in inside
    return word == "tokens" and isinstance(member, (list, tuple)) and _are_pieces(member, around)


def _members(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return {str(key): member for key, member in value.items()}
    if (
        isinstance(value, list)
        and value
        and all(isinstance(pair, tuple) and len(pair) == len(("name", "value")) for pair in value)
    ):
        return dict(value)
    return None


def _is_count(value: Any) -> bool:
    digits = str(value)
    return not isinstance(value, bool) and digits.isdigit() and int(digits[:9]) < _LARGEST


def _are_pieces(items: Sequence[Any], around: _Pairs) -> bool:
    """Tell the pieces of a text: of a model, a parser or an analyzer."""
    beside = dict(around)
    logprobs = beside.get("token_logprobs")
    if isinstance(logprobs, (list, tuple)) and len(logprobs) == len(items):
        return all(one is None or _NUMBER.fullmatch(str(one)) for one in logprobs)
    if "avg_logprob" in beside:
        return all(map(_is_count, items))
    pieces = [_members(item) for item in items]
    return bool(pieces) and all(piece is not None and _is_piece(piece) for piece in pieces)


def _is_piece(piece: Mapping[str, Any]) -> bool:
    if "text" in piece:
        return "lemma" in piece or "pos" in piece
    return isinstance(piece.get("token"), str) and _spans(piece["token"], piece)


def _is_term(name: str, term: str, around: _Pairs) -> bool:
    return (
        name == "token"
        and any(key == "end_offset" for key, _ in around)
        and (_spans(term, dict(around)))
    )


def _spans(term: str, piece: Mapping[str, Any]) -> bool:
    """Tell whether the offsets of a term in its text are as far apart as it is long."""
    start, end = piece.get("start_offset"), piece.get("end_offset")
    # No digit: what an analyzer lets through as one word may be a key that was analyzed.
    return (
        _is_count(start)
        and _is_count(end)
        and int(str(end)) - int(str(start)) == len(term)
        and term.isalpha()
        and len(term) < 16  # noqa: PLR2004  characters of a credential, as elsewhere
    )


def _tells_no_handle(value: Any) -> bool:
    inside = _members(value)
    if inside is not None:
        return all(
            (_HANDLES.isdisjoint(tokens(key)) or not isinstance(member, str) or _is_count(member))
            and _tells_no_handle(member)
            for key, member in inside.items()
        )
    if isinstance(value, (list, tuple)):
        return all(map(_tells_no_handle, value))
    if value is None or isinstance(value, bool) or _is_count(value):
        return True
    return isinstance(value, str) and (" " in value or _SHORT.fullmatch(value) is not None)
