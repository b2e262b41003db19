"""Name and value pairs joined by ampersands: query strings and URL-encoded forms."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_plus

from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.names import SETTING, Names, tokens
from otel_apimetrics.redaction.settings import is_setting
from otel_apimetrics.redaction.siblings import MAY_NAME, Siblings
from otel_apimetrics.redaction.text import FreeText

_SIGNATURES: Final = frozenset(
    # The semantic conventions' list for `url.query`, then OAuth 2.0 and SAML.
    [
        "amz_signature",
        "amz_credential",
        "amz_security_token",
        "awsaccesskeyid",
        "signature",
        "sig",
        "goog_signature",
        "code",
        "samlresponse",
        "samlrequest",
        "relaystate",
    ]
)
_OAUTH: Final = frozenset({"code", "error", "id_token", "access_token", "session_state"})
_STRUCTURED: Final = re.compile(r"[=:\[{%<(]|-")
"""An assignment, JSON, markup, a list or a flag, or an escape that may hide one."""
_CUT_ESCAPE: Final = re.compile("%[0-9A-Fa-f]?\\Z")
_STEPS: Final = re.compile(r"[.\[\]]")
_SAFE: Final = "[]:/"


class _Around(NamedTuple):
    """What the other pairs tell of one."""

    oauth: bool
    """They are an answer of OAuth's."""
    siblings: Siblings

    def names(self, name: str) -> bool:
        return (self.oauth and name == "state") or self.siblings.name(name)


class Form:
    """Pairs in, pairs out: order, repeats and escapes stay.

    Args:
        names: the verdicts on names.
        text: the rules for values.
        documents: the rules for values that are JSON.
        remove: take a pair out instead of masking its value.
    """

    def __init__(self, names: Names, text: FreeText, documents: Documents, *, remove: bool) -> None:
        self._names: Final = names
        self._text: Final = text
        self._documents: Final = documents
        self._remove: Final = remove

    def scrub(self, query: str, *, cut: bool = False) -> str:
        """Mask the values of sensitive names, and what the value rules find in the others.

        Args:
            query: as sent, without a question mark.
            cut: it goes on where it was not captured.
        """
        if not query:
            return query
        pairs = query.split("&")
        # A user's expression may find something in a value and nothing in the whole.
        suspicious = self._text.has_patterns or bool(self._text.suspects(unquote_plus(query)))
        fields = map(_decoded, pairs) if MAY_NAME.search(query) else ()
        around = _Around(
            "state=" in query and any(_name(pair) in _OAUTH for pair in pairs),
            Siblings(self._names, fields),
        )
        masked = [
            clean
            for pair in pairs
            if (clean := self._pair(pair, around, suspicious=suspicious)) is not None
        ]
        if cut and masked:
            masked[-1] = self._end(masked[-1])
        written = "&".join(masked)
        return query if written == query else written

    def _end(self, pair: str) -> str:
        """Mask what may be the beginning of a secret, in the last pair of a form that was cut."""
        written, equals, value = pair.rpartition("=")
        decoded = unquote_plus(_CUT_ESCAPE.sub("", value))
        masked = self._text.scrub_values(self._text.end(decoded))
        return pair if masked == decoded else f"{written}{equals}{quote(masked, safe=_SAFE)}"

    def _pair(self, pair: str, around: _Around, *, suspicious: bool) -> str | None:
        written, equals, value = pair.partition("=")
        if not equals:
            return self._component(pair, suspicious=suspicious)
        name = _name(pair)
        if self.masks(name, value) or around.names(name):
            if self._remove:
                return None
            if not value:
                return pair
            mark = self._text.mark(unquote_plus(value), f"name:{name}")
            return f"{written}={quote(mark, safe=_SAFE)}"
        clean = self._component(value, suspicious=suspicious, at=self.path(name))
        return f"{self._component(written, suspicious=suspicious)}={clean}"

    def _component(self, value: str, *, suspicious: bool, at: Sequence[str] = ()) -> str:
        if not suspicious and not _STRUCTURED.search(value):
            return value
        decoded = unquote_plus(value)
        if decoded[:1] in ("{", "["):
            masked = self._documents.scrub(decoded, at=at)
        else:
            masked = self._text.scrub(decoded)
        return value if masked == decoded else quote(masked, safe=_SAFE)

    def path(self, name: str) -> list[str]:
        """Give the steps of a decoded name: `a[b].c`; none where no path of the policy has any."""
        if not self._names.has_paths:
            return []
        return [step for step in name.replace("]", "").replace("[", ".").split(".") if step]

    def masks(self, name: str, value: str) -> bool:
        """Tell whether the value of a pair is masked for its name.

        Args:
            name: decoded.
            value: as written.
        """
        names = self._names
        if names.has_paths:
            path = self.path(name)
            if names.denied_above(path):
                return True
            if names.allowed_at(path) and not names.is_denied(name):
                return False
        # Of `user[pin]` and `login.pin` the last step is a name by itself.
        steps = [step for step in _STEPS.split(name) if step]
        for step in (name, *steps[-1:]):
            if names.is_sensitive(step) or (
                names[step] == SETTING and not is_setting(unquote_plus(value))
            ):
                return True
        # As in JSON, what is under a sensitive name goes with it: `pin[value]`, `auth[user][x]`.
        if any(
            names.is_sensitive(step) and not names.spares(step, unquote_plus(value))
            for step in steps[:-1]
        ):
            return True
        known = "_".join(tokens(name)) in _SIGNATURES or name.lower() in _SIGNATURES
        return known and not names.is_allowed(name)


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])


def _decoded(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return unquote_plus(name), unquote_plus(value)
