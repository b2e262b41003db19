"""JSON bodies.

The first look does not read the text: it asks the sieve, where there is one, and else the gates
of the values and the names that stand before a `":`. What neither can tell, such as an escape in
a name, the decoder reads, with a hook that sees each object's names and keeps nothing. Where
nothing is found, the text is returned as it is.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from otel_apimetrics.redaction.cuts import mask_cut_end
from otel_apimetrics.redaction.looker import Looker, hook
from otel_apimetrics.redaction.loose import documents, strict
from otel_apimetrics.redaction.marks import TOO_DEEP
from otel_apimetrics.redaction.members import NESTED, Sign, glance, is_whole, judged, verbatim_in
from otel_apimetrics.redaction.names import LABEL, NAMED, Names
from otel_apimetrics.redaction.senses import may_open, opens_plain
from otel_apimetrics.redaction.sizes import bounded, is_short
from otel_apimetrics.redaction.splices import COLON, behind, plainly_spliced, spliced_at
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.together import Together
from otel_apimetrics.redaction.values import Rule, Values
from otel_apimetrics.redaction.walk import TooLargeError, Walk, exact
from otel_apimetrics.redaction.writing import written

_LOCATED: Final = re.compile(r'"loc"\s*:\s*\[(?=[^\]]*")')
"""The sign of an error of Pydantic's, which says where its `input` stood."""
_SHORTEST: Final = len("pin=1")
"""Characters of the shortest string that a rule may change."""
_OPENING: Final = frozenset('{[" \t\r\n')
_ROUNDS: Final = 4
"""Cuts of one document. What is masked behind a cut may be longer than it was."""
_LEVELS: Final = 8
"""JSON in a JSON string in a JSON string, and so on."""


class Documents:
    """JSON text in, JSON text out.

    Args:
        names: the verdicts on names.
        values: the value rules.
        text: the rules for strings, and for what does not parse.
        remove: take a member out instead of masking its value.
    """

    def __init__(self, names: Names, values: Values, text: FreeText, *, remove: bool) -> None:
        self._names: Final = names
        self._together: Final = Together(names)
        self._values: Final = values
        self._text: Final = text
        self._remove: Final = remove
        # As many as threads look at once: `pop` and `append` are atomic.
        self._lookers: Final[list[Looker]] = []
        # Only then is "the value behind this name" all that there is to know.
        self._splices: Final = not remove and not names.has_paths

    def scrub(self, text: str, *, cut: bool = False, level: int = 0, at: Sequence[str] = ()) -> str:
        """Mask a document; the identical object where there was nothing to mask.

        Args:
            text: JSON, or what claims to be.
            cut: it was cut and does not parse.
            level: how many JSON strings are around it.
            at: the path of members and indices to it.
        """
        if level > _LEVELS:
            return TOO_DEEP
        if cut:
            return self._loose(text, level, at, cut=True)
        return self._tried(text, level, at)[0]

    def body(
        self, text: str, *, cut: bool = False, again: Callable[[str], str] | None = None
    ) -> str:
        """Mask a document that was captured, and keep its strings and arrays within bounds.

        Args:
            text: JSON, or what claims to be.
            cut: it was cut and does not parse.
            again: redacts what was brought within bounds; `None` as this does.
        """
        if not cut:
            masked, members = self._tried(text, 0, ())
            # Masking makes no items.
            if members and is_short(masked, members):
                return masked
        else:
            masked = self.scrub(text, cut=True)
        return self.bounded(masked, again or (lambda shown: self.scrub(shown, cut=cut)))

    def _tried(self, text: str, level: int, at: Sequence[str]) -> tuple[str, int]:
        """Mask a text that may be a document; give its members as well where these were counted."""
        try:
            return self._scrub(text, level, at)
        except TooLargeError:
            return self._text.broken_json(text, cut=False), 0
        except (ValueError, RecursionError):
            return self._loose(text, level, at, cut=False), 0

    def bounded(self, masked: str, again: Callable[[str], str]) -> str:
        """Keep strings and arrays of a document within bounds; the identical one where they are.

        Args:
            masked: a document, redacted.
            again: redacts it. A cut is a border, and next to one a rule may find something.
        """
        for _ in range(_ROUNDS):
            short = bounded(masked, self._end)
            if short is masked:
                break
            masked = again(short)
        return masked

    def _end(self, string: str) -> str:
        if string.lstrip()[:1] in ("{", "["):
            return self._text.broken_json(string, cut=True)
        return self._text.scrub(mask_cut_end(string))

    def _loose(self, text: str, level: int, at: Sequence[str], *, cut: bool) -> str:
        """Mask what does not parse as one document: several, one with comments, or a piece."""
        plain, comments = strict(text)
        if plain != text:
            masked = self.scrub(plain, cut=cut, level=level, at=at)
            # Comments are left out where anything is masked, in them or in the document.
            if masked != plain or any(self._text.scrub(one) != one for one in comments):
                return masked
            # In a text that is no JSON what looks like a comment may be the rest of a URL.
            return self._text.broken_json(text, cut=cut)
        parts: list[str] = []
        done = 0
        for start, end in documents(text):
            if end < len(text) or done:
                parts += (text[done:start], self.scrub(text[start:end], level=level, at=at))
                done = end
        rest = text[done:]
        if rest.strip():
            parts.append(self._text.broken_json(rest, cut=cut))
        else:
            parts.append(rest)
        return "".join(parts)

    def _scrub(self, text: str, level: int, at: Sequence[str]) -> tuple[str, int]:
        body = text.removeprefix("\ufeff")
        if self._values.own_asks_for_ends or (self._values.own and "\\" in body):
            # What a user's expression finds in a value it may not find in the text.
            return self._rewrite(text, None, level, at), 0
        rules, signs, members = self._look_first(body)
        if not (rules or signs is None or signs):
            return text, members
        if signs and not rules and self._splices and is_whole(text):
            spliced = self._splice_signs(text, signs)
            if spliced is not None:
                return spliced, members
        if (signs is None or signs) and not _LOCATED.search(body):
            keys, labelled = self._look(body)
            if not rules and not labelled and not self._hides(body):
                spliced = self._splice(text, keys)
                if spliced is not None:
                    return spliced, 0
        return self._rewrite(text, rules, level, at), 0

    def _look_first(self, text: str) -> tuple[list[Rule], list[Sign] | None, int]:
        """Give the value rules that find something, and the signs behind sensitive names.

        The signs are `None` where somebody has to read the text. The members of all objects come
        third, 0 where nobody has counted them.
        """
        unsigned = self._text.suspects_phrases
        if not self._values.is_sieved:
            sample, signs, members = glance(text, self._together, unsigned)
            return self._values.gated(text, sample), signs, members
        found = self._values.look(text)
        if found.labelled:
            return found.rules, None, 0
        if not found.named:
            return found.rules, [], 0
        if found.signs is not None and self._splices and is_whole(text):
            return found.rules, judged(text, found.signs(text), self._names), 0
        return found.rules, glance(text, self._together, unsigned).signs, 0

    def _hides(self, text: str) -> bool:
        if self._names.ends_open:
            return True
        return ("\\" in text and NESTED.search(text) is not None) or self._text.assigns(text)

    def _look(self, text: str) -> tuple[set[str], bool]:
        """Give the names to mask anywhere, and whether some depend on their siblings."""
        looker = self._lookers.pop() if self._lookers else Looker()
        try:
            verdicts = looker.names(text, self._names)
        finally:
            self._lookers.append(looker)
        names = self._names
        if any(map(names.decides, verdicts)):
            return set(), True
        if not NAMED.isdisjoint(verdicts.values()):
            keys: set[str] = set()
            labelled: list[bool] = []
            json.loads(text, object_pairs_hook=hook(names, keys, labelled))
            return keys, any(labelled)
        return {name for name, verdict in verdicts.items() if verdict != LABEL}, False

    def _splice_signs(self, text: str, signs: list[Sign]) -> str | None:
        """Mask what is behind the names of members, without reading the rest.

        The text is whole, so a quoted name before a colon is a member's.

        Returns:
            `None` where a name depends on more than itself.
        """
        mark = self._text.mark
        if mark.constant and (spliced := plainly_spliced(text, signs)) is not None:
            return spliced
        places: list[Sign] = []
        for sign, name in signs:
            start = behind(text, sign)
            # A string that is no range of versions is a secret under each of these names.
            if not text.startswith('"', start) or text[start + 1 : start + 2] in "^~":
                if self._may_open(text, start, name):
                    return None
                if opens_plain(text, start, name, self._names):
                    continue
            places.append((start, name))
        return spliced_at(text, places, mark)

    def _may_open(self, text: str, start: int, name: str) -> bool:
        return text.startswith(("{", "["), start) and may_open(name, self._names)

    def _splice(self, text: str, keys: set[str]) -> str | None:
        if not keys:
            return text
        if not self._splices or "\\" in text:
            return None
        # The text is valid JSON without a backslash, so a quoted name before a colon is a name.
        places: list[tuple[int, str]] = []
        for key in keys:
            quoted = f'"{key}"'
            at = -1
            while (at := text.find(quoted, at + 1)) >= 0:
                colon = COLON.match(text, at + len(quoted))
                if colon and self._may_open(text, colon.end(), key):
                    return None
                if colon and not opens_plain(text, colon.end(), key, self._names):
                    places.append((colon.end(), key))
        places.sort()
        return spliced_at(text, places, self._text.mark)

    def _rewrite(
        self, text: str, rules: list[Rule] | None, level: int, at: Sequence[str] = ()
    ) -> str:
        body = text.removeprefix("\ufeff")
        document = exact(body)
        assigned = rules is None or self._text.assigns(body)
        is_verbatim = verbatim_in(body)

        def string_of(string: str) -> str:
            if string[:1] in _OPENING and string.lstrip()[:1] in ("{", "[", '"'):
                return self.scrub(string, level=level + 1, at=walk.path)
            # What the text as it is written has not told, the string may tell.
            told = is_verbatim(string)
            return self._string(string, rules if told else None, assigned=assigned or not told)

        walk = Walk(self._names, string_of, mark=self._text.mark, remove=self._remove, at=at)
        clean = walk.value(document)
        if not walk.changed:
            return text
        spaced = '": ' in body or ", " in body
        return text[: len(text) - len(body)] + written(clean, spaced=spaced)

    def _string(self, string: str, rules: list[Rule] | None, *, assigned: bool) -> str:
        if len(string) < _SHORTEST and not self._values.own:
            return string
        masked = self._text.named(string) if assigned else string
        masked = self._values.scrub(masked, rules)
        return string if masked == string else self._text.scrub(masked)
