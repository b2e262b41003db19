"""Which names stand for something secret.

Tokens are compared, never substrings: substrings mask `monkey` for its `key`. A name is
judged once and remembered, so that a name on the hot path costs one look into a dict.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from otel_apimetrics.redaction.clean import Remembered
from otel_apimetrics.redaction.marks import MARKED
from otel_apimetrics.redaction.paths import Paths, last_name
from otel_apimetrics.redaction.settings import is_setting
from otel_apimetrics.redaction.vocabulary import (
    ABOUT,
    ANY,
    COUNTED,
    ENDS,
    HOMONYMS,
    KEPT,
    PAIRS,
    SETTINGS,
    WHOLE,
)

HARMLESS: Final = 0
SENSITIVE: Final = 1
LABEL: Final = 2
"""`name` or `field`: names its sibling `value`."""
LABEL_OR_SENSITIVE: Final = 3
"""`key`: names its sibling `value`; sensitive where there is none."""
VALUE: Final = 4
"""`value`: named by a sibling."""
ON_A_PATH: Final = 5
"""The last name of a dotted path to deny: sensitive where the whole path fits."""
CONTENT: Final = 6
"""`content`, `val` or `values`: named by a sibling, where that names something sensitive."""
SETTING: Final = 7
"""`token_type`, `password_policy`: numbers, times and single words stay, other text does not."""
NAMED: Final = frozenset({VALUE, CONTENT})
"""Verdicts on what a sibling may name."""

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN: Final = re.compile(r"[\W_]+")
_STEPS: Final = re.compile(r"[/.]")
_PARTS: Final = re.compile(r"[/.\[\]]+")
_TIME: Final = re.compile(r"[\W\d_t]*")
_REMEMBERED: Final = 4096
_LONGEST: Final = 256
"""Characters of a name that are judged: the first and the last 128."""

_LABELS: Final = {
    **dict.fromkeys(
        (
            *("name", "field", "param", "parameter", "path", "header", "attribute", "attr"),
            *("property", "variable"),
        ),
        LABEL,
    ),
    "key": LABEL_OR_SENSITIVE,
    "value": VALUE,
    **dict.fromkeys(("val", "values", "content"), CONTENT),
}
_VALUES: Final = frozenset(["content", "data", "default", "string", "text", "val", "value"])
"""The last word of an attribute or element that a sibling names: `data-value`, `defaultValue`."""


def tokens(name: str, *, camel: bool = True) -> tuple[str, ...]:
    """Split a name into its words.

    Args:
        name: as it was written ("X-Api-Key", "accessToken2", "a[b]").
        camel: split at a change from lower to upper case too.

    Returns:
        Lower-case words in NFKC, without a leading `x` or `http` and without trailing digits.
    """
    if not name.isascii():
        # Invisible characters (category Cf) would split a word in two.
        name = "".join(
            letter
            for letter in unicodedata.normalize("NFKC", name)
            if unicodedata.category(letter) != "Cf"
        )
    if camel:
        name = _CAMEL.sub("_", name)
    words = [word for word in _BETWEEN.split(name.lower()) if word]
    while len(words) > 1 and words[0] in {"x", "http"}:
        del words[0]
    return tuple(word for word in (word.rstrip("0123456789") for word in words) if word)


_COUNTS: Final = frozenset(["count", "counts", "usage", "details", "logprobs"])


_LEFT: Final = KEPT - SETTINGS


def _judge(words: Sequence[str]) -> int:
    if len(words) == 1 and words[0] in WHOLE:
        return SENSITIVE
    if not _tells(words):
        return HARMLESS
    if words[-1] in ABOUT or "_".join(words) in SETTINGS:
        return SETTING
    if not COUNTED.isdisjoint(words) and ("tokens" in words or words[-1] in _COUNTS):
        words = [word for word in words if word not in {"token", "tokens"}]
        return SENSITIVE if _tells(words) else SETTING
    return SENSITIVE


def _tells(words: Sequence[str]) -> bool:
    return bool(words) and (
        words[-1] == "pass"
        or not ANY.isdisjoint(words)
        or not PAIRS.isdisjoint(pairwise(words))
        or any(word.endswith(ENDS) for word in words)
    )


class Names(dict[str, int]):
    """The verdict on a name, remembered: `names[name]` is one of the constants above.

    Names come from requests, so what is remembered is bounded: 4,096 names, then it
    starts again. Safe to share between threads, for a lost entry is judged again.

    Args:
        deny: bare names and dotted paths to mask.
        allow: bare names and dotted paths to leave.
    """

    def __init__(self, deny: Sequence[str] = (), allow: Sequence[str] = ()) -> None:
        super().__init__()
        self.homonyms: Final = Remembered(self._is_homonym)
        """Tells of a name whether it has a harmless sense as well."""
        self._deny = frozenset(form for name in deny if "." not in name for form in forms_of(name))
        self._steps: Final = Remembered(forms_of)
        self._allow = frozenset(
            form for name in allow if "." not in name for form in forms_of(name)
        )
        self._deny_paths: Final = Paths(deny, self._step, beyond=True)
        self._allow_paths: Final = Paths(allow, self._step, beyond=False)
        ends = [last_name(path) for path in deny if "." in path]
        self._ends = frozenset(form for end in ends if end for form in forms_of(end))
        self.has_paths: Final = bool(self._deny_paths or self._allow_paths)
        """A verdict may depend on where a name stands."""
        self.ends_open: Final = any(
            "." in path and not path.split(".")[-1].strip("*0123456789") for path in deny
        )
        """A path to deny ends in a wildcard or an index, so any name or item may be its last."""
        self.denies_times: Final = any(map(_TIME.fullmatch, self._deny | self._ends))
        """A name to deny is spelled like a number or a time."""

    def __missing__(self, name: str) -> int:
        verdict = self._verdict(name)
        if len(self) >= _REMEMBERED:
            self.clear()
        # A long name is not remembered: it would hold memory, not save time.
        if len(name) <= _LONGEST:
            self[name] = verdict
        return verdict

    def is_sensitive(self, name: str) -> bool:
        """Tell whether a name that has no siblings and no path is to be masked.

        The last name of a denied path counts, because its path is not known here.
        """
        return self[name] in (SENSITIVE, LABEL_OR_SENSITIVE, ON_A_PATH)

    def labels(self, label: str) -> bool:
        """Tell whether what stands under `name` or `path` names something to be masked.

        Of a path the last step is a name by itself: `/card/pin`, `user.pin`.
        """
        return self.is_sensitive(label) or self.is_sensitive(_STEPS.split(label)[-1])

    def _step(self, name: str) -> tuple[str, str]:
        return self._steps[name] if len(name) <= _LONGEST else forms_of(name[:_LONGEST])

    def denied_at(self, path: Sequence[str]) -> bool:
        """Tell whether a dotted path to deny fits this path of members and indices."""
        return self._deny_paths.fits(path)

    def denied_above(self, path: Sequence[str]) -> bool:
        """Tell whether a dotted path to deny fits this path or one that leads to it."""
        return self._deny_paths.fits(path, above=True)

    def allowed_at(self, path: Sequence[str]) -> bool:
        """Tell whether a dotted path to allow fits this path of members and indices."""
        return self._allow_paths.fits(path)

    def spares(self, name: str, value: object) -> bool:
        """Tell whether a name has a harmless sense as well, and this value is plainly in it."""
        if self[name] == SETTING:
            return is_setting(value)
        return self.homonyms[name] and is_harmless(value)

    def decides(self, name: str) -> bool:
        """Tell whether the value under a name decides whether it is masked."""
        return self[name] == SETTING or self.homonyms[name]

    def _is_homonym(self, name: str) -> bool:
        return "_".join(tokens(name)) in HOMONYMS and not self.is_denied(name)

    def is_denied(self, name: str) -> bool:
        """Tell whether the policy itself, not a built-in rule, masks this bare name.

        Of `note[0]`, `user.note` and `/user/note/text` each step is a name by itself: a member
        under a denied one goes with it, however it is written.
        """
        if not self._deny.isdisjoint(forms_of(name)):
            return True
        return (
            bool(self._deny)
            and _PARTS.search(name) is not None
            and _TIME.fullmatch(name) is None  # a number has no steps
            and any(
                not self._deny.isdisjoint(forms_of(step)) for step in _PARTS.split(name) if step
            )
        )

    def is_allowed(self, name: str) -> bool:
        """Tell whether the policy itself leaves this bare name."""
        return not self._allow.isdisjoint(forms_of(name)) and not self.is_denied(name)

    def _verdict(self, name: str) -> int:
        if len(name) > _LONGEST:
            name = f"{name[: _LONGEST // 2]} {name[-_LONGEST // 2 :]}"
        name = MARKED.sub(" ", name)
        readings = (tokens(name), tokens(name, camel=False))
        forms = forms_of(name)
        if self.is_denied(name):
            return SENSITIVE
        last = forms_of(name.rpartition(".")[2]) if self._ends and "." in name else forms
        rest = HARMLESS if self._ends.isdisjoint((*forms, *last)) else ON_A_PATH
        if not (_LEFT | self._allow).isdisjoint(forms):
            return rest
        judged = set(map(_judge, readings))
        if SENSITIVE in judged:
            sibling = _LABELS.get("_".join(readings[0]), SENSITIVE)
            return SENSITIVE if rest else sibling
        about = SETTING if SETTING in judged else HARMLESS
        return rest or about or _LABELS.get("_".join(readings[0]), HARMLESS)


_CREDENTIAL: Final = 16
"""Characters of the shortest credential whose name alone does not tell it."""
_DIGIT: Final = re.compile("[0-9]")
_SPEECH: Final = re.compile(r"[\s<]|\A/|://|\A\d{4}-\d\d-\d\dT")
"""Words, markup, a path, a URL or a time."""
_EXTENSION: Final = re.compile(r"\.[A-Za-z]\w{1,4}\Z")
"""That of a file: the key of an object in a bucket."""
_LONG_NUMBER: Final = 12


def is_value(name: str) -> bool:
    """Tell whether an attribute or element may hold what a sibling names."""
    return not _VALUES.isdisjoint(tokens(name)[-1:])


def is_harmless(value: object) -> bool:
    """Tell whether a value is plainly no credential: short, a sentence, a path, one case."""
    if isinstance(value, Mapping):
        return all(map(is_harmless, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_harmless, value))
    text = str(value)
    if text.isdigit():
        return len(text) < _LONG_NUMBER
    if len(text) < _CREDENTIAL or _SPEECH.search(text) or not _is_mixed(text):
        return True
    return "/" in text and _EXTENSION.search(text[-7:]) is not None


def _is_mixed(text: str) -> bool:
    return bool(_DIGIT.search(text)) or (text != text.lower() and text != text.upper())


def forms_of(name: str) -> tuple[str, str]:
    """Give a name's words joined by underscores, split at changes of case and not."""
    # A name of digits or signs alone has no words: it is its own form.
    return (
        "_".join(tokens(name)) or name.lower(),
        "_".join(tokens(name, camel=False)) or name.lower(),
    )
