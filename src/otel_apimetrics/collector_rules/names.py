"""The verdicts on names as regular expressions of Go.

One expression cannot say "this word, but not in that name". An alternation can: it takes the
first alternative that matches, so the names that are left stand before those that are masked.
"""

from itertools import groupby
from operator import itemgetter
from typing import Final

from otel_apimetrics.collector_rules.words import (
    Letters,
    about,
    anyhow,
    anywhere,
    ascii_start,
    capital_units,
    counted,
    exactly,
    has_unit,
    last_step,
    other_than,
    spelling,
    units,
    whole,
)
from otel_apimetrics.redaction.names import Names, tokens
from otel_apimetrics.redaction.policy import RedactionPolicy
from otel_apimetrics.redaction.vocabulary import ANY, ENDS, HOMONYMS, KEPT, PAIRS, WHOLE

_KEYED: Final = "access|api|auth|bearer|csrf|id|oauth|push|refresh|security|session"
"""What stands before `tokens` that are no pieces of text."""
_CARRIERS_WORDS: Final = (
    "answer base code confirmation data hash hint key number salt seed sha string value"
)
_CARRIERS: Final = frozenset(_CARRIERS_WORDS.split())
"""What may stand behind a sensitive word in a key, and is as sensitive."""


_ENDS: Final = f"(?i:{'|'.join(ENDS)})"


class NameExpressions:
    """The name rules of one policy.

    Args:
        policy: its `deny` and `allow`; a dotted path to deny counts by its last name, and one
            to allow does not count.
    """

    def __init__(self, policy: RedactionPolicy) -> None:
        steps = {last_step(name) if "." in name else name for name in policy.deny}
        self.denied: Final = sorted(steps - {""})
        self._denied: Final = {spelling(name) for name in self.denied}
        self._allowed: Final = [name for name in policy.allow if "." not in name]
        spared = {spelling(name) for name in self._allowed} | self._denied
        self.allows: Final = Names(policy.deny, policy.allow).is_allowed
        """Tells of a bare name whether the policy leaves it."""
        self._homonyms: Final = sorted(HOMONYMS - spared)

    def always(self, letters: Letters) -> str:
        """Match the names that the policy denies; "" where it denies none."""
        if not self.denied:
            return ""
        names = "|".join(anyhow(name, letters.gap) for name in self.denied)
        return whole(names, letters)

    def left(self, letters: Letters) -> str:
        """Match names that are harmless for all their words."""
        kept = [words for name in sorted(KEPT) if has_unit(words := tuple(name.split("_")))]
        kept += [tuple(tokens(name)) for name in self._allowed]
        exact = [words for words in kept if words and "_".join(words) not in self._denied]
        odd = [anywhere(name) for name in self._allowed if not tokens(name)]
        return "|".join(
            (
                exactly(exact, letters),
                *odd,
                counted(letters.border),
                about(letters),
            )
        )

    def two_senses(self, letters: Letters) -> str:
        """Match the names whose value decides; "" where the policy has decided on each."""
        return whole("|".join(self._homonyms), letters) if self._homonyms else ""

    def sensitive(self, letters: Letters) -> str:
        """Match names with a sensitive word, in `left` or not."""
        inside, border = letters.inside, letters.border
        capital = capital_units(letters.gap)
        found = rf"(?:{inside}*{border})?(?i:{units(letters.gap)})|{inside}*(?:{capital}|{_ENDS})"
        return "|".join(
            (
                rf"(?:{found})[0-9]*(?:(?:{border}|[A-Z]){inside}*)?",
                rf"(?:{inside}*{border})?(?i:pass)[0-9]*{border}*",
                rf"{inside}*[a-z0-9]Pass[0-9]*{border}*",
                _sensitive_whole(letters),
            )
        )

    def sensitive_end(self, letters: Letters) -> str:
        """Match a name from its sensitive word on, after what parts it from the words before.

        In text, where a name may begin everywhere, Go would follow each that began.
        """
        inside, border = letters.inside, letters.border
        start = "(?:^|[^A-Za-z0-9]|%[0-9A-Fa-f]{2})"
        capital = capital_units(letters.gap)
        found = rf"{start}(?i:{units(letters.gap)})|{capital}|{_ENDS}"
        return "|".join(
            (
                rf"(?:{found})[0-9]*(?:(?:{border}|[A-Z]){inside}*)?",
                rf"(?:{start}(?i:pass)|[a-z0-9]Pass)[0-9]*{border}*",
            )
        )

    def sensitive_whole(self, letters: Letters) -> str:
        """Match names that are sensitive as a whole."""
        return _sensitive_whole(letters)

    def keys(self) -> str:
        """Match keys of attributes whose last part ends in a sensitive word.

        `redaction` does not know an order between what is masked and what is left, so each name
        that is left is no match here.
        """
        spared = [name.split("_") for name in sorted(KEPT)]
        for lead in ([], ["x"], ["http"]):
            spared += [[*lead, *tokens(name)] for name in self._allowed]
        spared = [words for words in spared if "_".join(words) not in self._denied]
        free: list[str] = []
        bound: list[str] = []
        for unit in sorted({("pass",), *((word,) for word in ANY - {"tokens"}), *PAIRS}):
            ends = [words for words in spared if tuple(words[-len(unit) :]) == unit]
            written = "[^a-z.]*".join(map(anywhere, unit))
            before = {"_".join(words[: -len(unit)]) for words in ends}
            if not before:
                free.append(written)
                continue
            lone = "" if "" in before else "?"
            bound.append(f"(?:{other_than(before - {''})}[^a-z0-9.]){lone}{written}")
        for end in ENDS:
            before = {"_".join(words)[: -len(end)] for words in spared if words[-1:] == [end]}
            bound.append(other_than(before) + end)
        whole = sorted({*WHOLE, "tokens"} - HOMONYMS - {"_".join(words) for words in spared})
        border = "[^a-z0-9.]"
        behind = f"(?:{border}+(?:{'|'.join(sorted(_CARRIERS - self.let_go()))}))?"
        return "|".join(
            (
                f"(?:[^.]*{border})?(?:{'|'.join(free)}){behind}",
                f"(?:{'|'.join(bound)}){behind}",
                f"(?:[^.]*{border})?(?:{_KEYED})[^a-z.]*tokens",
                f"{border}*(?:(?:x|http){border}+)*(?:{'|'.join(whole)})",
            )
        )

    def let_go(self) -> set[str]:
        """Give what ends a name to allow and may end a sensitive one: no key is known by it."""
        return {words[-1] for name in self._allowed if (words := tokens(name))} & _CARRIERS

    def stems(self) -> list[tuple[str, bool]]:
        """Give what each name to mask has in it, in small letters.

        They are expressions that begin with a literal, which Go searches for as fast as for it.

        Returns:
            Each with whether it is the end of the name.
        """
        inside = [word for word in sorted({*ANY, *ENDS}, key=len) if word.isascii()]
        inside += [word[: ascii_start(word)] for word in sorted(ANY) if not word.isascii()]
        found: list[str] = []
        for word in inside:
            if not any(shorter in word for shorter in found):
                found.append(word)
        pairs = [
            rf"{first}[^a-z]*(?:{'|'.join(second for _, second in group)})"
            for first, group in groupby(sorted(PAIRS), key=itemgetter(0))
        ]
        denied = [anywhere((tokens(name) or (name.lower(),))[0]) for name in self.denied]
        return [
            *((stem, False) for stem in (*found, *pairs, *denied)),
            *((word, True) for word in sorted({*WHOLE, "pass"})),
        ]


def _sensitive_whole(letters: Letters) -> str:
    return whole("|".join(sorted(WHOLE - HOMONYMS)), letters)
