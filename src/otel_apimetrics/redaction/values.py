"""Values that are secret whatever their name: tokens, keys, cards.

Each rule has a literal that it cannot match without (its gate), and no rule backtracks:
a tail is one character class, and a guard keeps a run from being entered twice.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from otel_apimetrics.redaction.escapes import bordered
from otel_apimetrics.redaction.gates import Numbers, Prefixes, has_scheme
from otel_apimetrics.redaction.identifiers import ACCOUNT, RUN, mask_account, mask_cards
from otel_apimetrics.redaction.marks import MARK, PLAIN, Marker
from otel_apimetrics.redaction.own import Own
from otel_apimetrics.redaction.sieve import Sieve

Write = Callable[[re.Match[str], Marker], str]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One shape of a secret."""

    id: str
    """Short name, for those who ask what masked a value."""
    gates: tuple[str, ...]
    """A text without any of these cannot match; none: asked by other means."""
    pattern: re.Pattern[str]
    write: Write | None = None
    """Writes what stands for a match; `None`: the mark of the whole of it."""
    checks: bool = False
    """A match alone is no secret yet: a number has a check digit."""

    def changes(self, text: str) -> bool:
        """Tell whether this rule finds something."""
        if self.checks:
            return self.sub(text, PLAIN) != text
        if self.pattern.search(text) is not None:
            return True
        # The letter of an escape is no letter before a token.
        read = bordered(text)
        return read is not text and self.pattern.search(read) is not None

    def sub(self, text: str, mark: Marker) -> str:
        """Replace what the rule finds."""
        write = self._written
        if (read := bordered(text)) is not text:
            # First: behind the letter of an escape only a later part of a token may be found.
            text = self._sub_behind(text, mark, read)
        return self.pattern.sub(lambda found: write(found, mark), text)

    def _sub_behind(self, text: str, mark: Marker, read: str) -> str:
        parts: list[str] = []
        done = 0
        for found in self.pattern.finditer(read):
            shown = self._written(found, mark)
            if shown != found[0]:
                parts += (text[done : found.start()], shown)
                done = found.end()
        return "".join((*parts, text[done:]))

    def _written(self, found: re.Match[str], mark: Marker) -> str:
        if self.write is None:
            return mark(found[0], f"value:{self.id}")
        return self.write(found, mark)


class Found(NamedTuple):
    """What one look at a text has found."""

    named: bool
    """A name may be sensitive. Without a sieve nobody knows, so it may."""
    labelled: bool
    """A name may be named by its sibling: `{"name": "password", "value": ...}`."""
    rules: list[Rule]
    """The value rules that find something."""
    signs: Callable[[str], list[int]] | None = None
    """Gives the places of the signs behind those names, where a sieve can tell."""


def _rule(name: str, gates: str, regex: str, write: Write | None = None) -> Rule:
    return Rule(name, tuple(gates.split("|")), re.compile(regex, re.ASCII), write)


# The guard stands behind the literal, so that the engine can search for the literal.
_RULES: Final = (
    # A direct key leaves the second part of a JWE empty; an SD-JWT adds disclosures.
    _rule(
        "jwt",
        "eyJ",
        r"eyJ(?<![\w-]eyJ)[\w-]{8,}\.(?:[\w-]{8,}|\.[\w-]{8,}\.[\w-]+)(?:[.~][\w-]*){0,64}",
    ),
    _rule(
        "pem",
        "-----BEGIN",
        # Certificates, public keys and signatures are public.
        r"-----BEGIN (?![A-Z0-9 ]{0,48}(?:CERTIFICATE|PUBLIC|SIGNATURE))[A-Z0-9 ]{1,64}(?:-----)?"
        # Armour headers (RFC 4880, section 6.2) hold any text.
        r"(?:[\s\\nr]{1,8}(?:Version|Comment|MessageID|Hash|Charset): [^\n\\\"]{0,256}){0,4}"
        r"(?:[A-Za-z0-9+/=\s\\:,.]|-(?!----))*"
        r"(?:-----END [A-Z0-9 ]{1,64}(?:-----)?)?",
    ),
    _rule(
        "url_userinfo",
        "://",
        r"""://[^\s/?#:"'<>\\]{0,256}:[^\s/?#"<>]{1,256}@""",
        lambda found, mark: f"://{mark(found[0][3:-1], 'value:url_userinfo')}@",
    ),
    _rule(
        "aws_access_key",
        "AKIA|ASIA|ABIA|ACCA",
        r"A(?<![A-Za-z0-9]A)(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Z0-9])",
    ),
    _rule("github", "ghp_|gho_|ghu_|ghs_|ghr_", r"gh[pousr]_[A-Za-z0-9]{20,}"),
    _rule("github_pat", "github_pat_", r"github_pat_\w{20,}"),
    _rule(
        "gitlab",
        "glpat-|gldt-|glrt-|glptt-|glsoat-",
        r"gl(?:pat|dt|rt|ptt|soat)-[\w-]{16,}(?:\.[\w.-]*)?",
    ),
    _rule(
        "slack",
        "xox|xapp-",
        r"x(?:ox[a-ce-z]-\d|oxe\.xox[a-z]-\d|oxd-|app(?<![A-Za-z0-9]xapp)-\d)[\w-]{10,}",
    ),
    _rule(
        "slack_hook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{8,}",
    ),
    _rule("stripe", "sk_|rk_", r"[sr]k_(?<![A-Za-z0-9][sr]k_)(?:live|test|prod)_\w{10,}"),
    _rule("webhook_secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{16,}"),
    _rule(
        "openai",
        "sk-",
        # Three words in lower case are a slug: of a place in Slovakia, say.
        r"sk-(?<![A-Za-z0-9]sk-)(?![a-z]{2,24}-[a-z]{2,24}-[a-z-]{0,99}[0-9]{0,4}(?:[^\w-]|\Z))"
        r"[\w-]{20,}",
    ),
    _rule("google_api_key", "AIza", r"AIza[\w-]{35}"),
    _rule("google_oauth", "ya29.", r"ya29\.[\w-]{20,}"),
    _rule("google_client", "GOCSPX-", r"GOCSPX-[\w-]{20,}"),
    _rule("sendgrid", "SG.", r"SG\.(?<![A-Za-z0-9]SG\.)[\w-]{16,32}\.[\w-]{16,}"),
    _rule("npm", "npm_", r"npm_[A-Za-z0-9]{36,}"),
    _rule("pypi", "pypi-A", r"pypi-A[\w-]{16,}"),
    _rule("hugging_face", "hf_", r"hf_(?<!\whf_)[A-Za-z0-9]{30,}"),
    _rule("digitalocean", "_v1_", r"do[opr]_v1_[a-f0-9]{32,}"),
    _rule("shopify", "shpat_|shpca_|shppa_|shpss_", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}"),
    _rule("databricks", "dapi", r"dapi[a-f0-9]{32}(?:-\d)?"),
    _rule("vault", "hvs.|hvb.|hvr.", r"hv[sbr]\.[\w-]{20,}"),
    _rule(
        "azure_account_key",
        "AccountKey=",
        r"AccountKey=[A-Za-z0-9+/=]{20,}",
        lambda found, mark: f"AccountKey={mark(found[0][11:], 'value:azure_account_key')}",
    ),
)
_SCHEME: Final = Rule(
    "auth_scheme",
    (),
    # A word in the case of prose is no token: "Basic authentication", "bearer instruments".
    re.compile(
        r"\b(?![Bb]asic {1,4}[A-Za-z][a-z]{0,20}[.-]{0,3}(?:[^A-Za-z0-9._~+/=-]|\Z))"
        r"(?!bearer {1,4}[A-Za-z][a-z]{7,18}[,.;:!?)]{0,2} {1,2}[A-Za-z][a-z]{0,15}(?![\w=:/+.-]))"
        r"(?i:(bearer|basic)) {1,4}(?![Aa]uth(?:enti|oriz))([A-Za-z0-9._~+/=-]{8,})"
    ),
    lambda found, mark: f"{found[1]} {mark(found[2], 'value:auth_scheme')}",
)
_CARD: Final = Rule("card", (), RUN, mask_cards, checks=True)
_IBAN: Final = Rule("iban", (), ACCOUNT, mask_account, checks=True)
_SSN: Final = Rule(
    "ssn",
    (),
    re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])", re.ASCII),
)
_JWT, _PEM, _USERINFO, *_TOKENS = _RULES
_BY_PREFIX: Final = Prefixes((rule.gates, rule) for rule in (_JWT, *_TOKENS))

_UNPREFIXED: Final = frozenset({_SCHEME, _IBAN, _CARD, _SSN})
BUILT_IN: Final = (*_RULES, _SCHEME, _IBAN, _CARD, _SSN)
_UTF_8: Final = ("utf-8", "surrogatepass")
_ROUNDS: Final = 12
"""Looks at one text. Each finds at least one secret that a mark has uncovered."""


class Values:
    """The value rules, with those that the user added.

    Args:
        patterns: the user's expressions by name; checked by the policy.
        sieve: of the expressions of `BUILT_IN` and then `more`; `None` where there is none.
        mark: writes the marks.
        more: further rules.
    """

    def __init__(
        self,
        patterns: Sequence[tuple[str, re.Pattern[str]]] = (),
        sieve: Sieve | None = None,
        mark: Marker = PLAIN,
        more: Sequence[Rule] = (),
    ) -> None:
        self._more: Final = tuple(more)
        self._sieve: Final = sieve
        self.is_sieved: Final = sieve is not None  # it has the first look
        self.mark: Final = mark
        self.owns: Final = {Rule(name, (), regex): Own(regex) for name, regex in patterns}
        self.own: Final = tuple(self.owns)
        self.own_asks_for_ends: Final = any(own.asks_for_ends for own in self.owns.values())
        """A user's expression may find something in a value alone."""
        self.all: Final = (*BUILT_IN, *self._more, *self.own)

    def look(self, text: str) -> Found:
        """Look at a text once; cheap where it holds nothing."""
        sieve = self._sieve
        if sieve is None or (seen := sieve.look(text)) is None:
            return Found(named=True, labelled=True, rules=self.gated(text, text))
        names, odd, labelled, shapes = seen
        found = self._shaped(text, shapes) if shapes else []
        if self.owns:
            found += [rule for rule, own in self.owns.items() if own.finds(text)]
        signs = partial(sieve.signs, names=names) if names and not odd else None
        return Found(bool(names) or odd, labelled, found, signs)

    def _shaped(self, text: str, shapes: Sequence[int]) -> list[Rule]:
        rules = [self.all[place] for place in shapes]
        bare = _UNPREFIXED.intersection(rules)
        # Where these alone read a text, they take longer than the gates.
        left = self._unprefixed(text, bordered(text).encode(*_UTF_8)) if bare else ()
        return [rule for rule in rules if (rule in left if rule in bare else rule.changes(text))]

    def suspects(self, text: str) -> list[Rule]:
        """Name the rules that find something in this text; cheap where none does."""
        return self.look(text).rules

    def gated(self, text: str, sample: str) -> list[Rule]:
        """Ask the gates first, and only the rules whose gate is there.

        Args:
            text: any text, decoded.
            sample: for the gates: of equal pieces between double quotes it needs only one.
        """
        raw = bordered(sample).encode(*_UTF_8)
        possible = _BY_PREFIX.possible(raw)
        if "-----BEGIN" in sample:
            possible.add(_PEM)
        if "@" in sample and "://" in sample:
            possible.add(_USERINFO)
        found = self._unprefixed(text, raw)
        if possible:
            # In the order of the rules, because one may find what is in another's match.
            found[:0] = [rule for rule in _RULES if rule in possible and rule.changes(text)]
        if self._more or self.owns:
            found += [
                rule
                for rule in self._more
                if any(gate in text for gate in rule.gates) and rule.changes(text)
            ]
            found += [rule for rule, own in self.owns.items() if own.finds(text)]
        return found

    def _unprefixed(self, text: str, raw: bytes) -> list[Rule]:
        found = [_SCHEME] if has_scheme(raw) and _SCHEME.changes(text) else []
        numbers = Numbers(raw)
        # Before cards: an account number in groups may hold a run that passes for a card.
        if numbers.account and _IBAN.changes(text):
            found.append(_IBAN)
        if numbers.card and _CARD.changes(text):
            found.append(_CARD)
        if numbers.ssn and _SSN.changes(text):
            found.append(_SSN)
        return found

    def scrub(self, text: str, rules: Sequence[Rule] | None = None, rounds: int = _ROUNDS) -> str:
        """Replace what the rules find. What is marked already stays.

        Args:
            text: any text, decoded.
            rules: those that `suspects` named for a text which holds this one; `None` asks.
            rounds: how often it is looked at again; then the whole text is masked.
        """
        masked = text
        for rule in self.suspects(text) if rules is None else rules:
            # A user's expression may match a part of a mark.
            own = rule in self.owns
            masked = self._own_masked(rule, masked) if own else rule.sub(masked, self.mark)
        if masked == text:
            return text
        # A mark is a border, and next to a border a rule may find what it did not before.
        left = self.suspects(masked)
        if not left:
            return masked
        return MARK if rounds == 0 else self.scrub(masked, left, rounds - 1)

    def _own_masked(self, rule: Rule, text: str) -> str:
        rule_id = f"value:{rule.id}"
        return self.owns[rule].masked(text, lambda found: self.mark(found, rule_id))
