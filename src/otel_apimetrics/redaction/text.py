"""Free text: exception messages, log lines, and JSON that does not parse.

A secret is known by its shape (a value rule), or by the name that it is assigned to:
`password=...`, `"password": "..."`, `Cookie: ...`.
"""

import re
from typing import Final

from otel_apimetrics.redaction import entities, oauth, percent
from otel_apimetrics.redaction.cuts import mask_cut_end
from otel_apimetrics.redaction.escapes import plain_escapes
from otel_apimetrics.redaction.leading import spelled_out, telling_before
from otel_apimetrics.redaction.lines import owned
from otel_apimetrics.redaction.marks import MARK, PLAIN, Marker
from otel_apimetrics.redaction.names import (
    LABEL,
    LABEL_OR_SENSITIVE,
    NAMED,
    ON_A_PATH,
    SETTING,
    Names,
    tokens,
)
from otel_apimetrics.redaction.own import mask_own_cut_end
from otel_apimetrics.redaction.phrases.room import Phrases
from otel_apimetrics.redaction.prose import is_prose
from otel_apimetrics.redaction.settings import is_setting, opens_setting
from otel_apimetrics.redaction.spans import line_end, value_end
from otel_apimetrics.redaction.unclosed import mask_unnamed
from otel_apimetrics.redaction.values import Rule, Values

_SIGN: Final = re.compile(r"=(?<![=!<>]=)|:(?<!\[REDACTED:)(?!//)")
_UNQUOTED_SIGNS: Final = (
    re.compile(r"=(?<![=!<>]=)"),
    re.compile(r":(?<![\"]:)(?<!\[REDACTED:)(?!//|\d\d)"),
)
"""The signs that JSON does not use itself, but for times; apart, so that each begins with the
one letter that the engine searches for."""
_BLANKS: Final = re.compile(r"(?:\\[nrt]|[=>\s]){0,64}")
_LONGEST_SPARED: Final = 256
"""Characters of a value that is left because its name has a harmless sense."""
_INPUT: Final = re.compile(
    r"(\[type=\w{1,64}, input_value=)(?!\[REDACTED\]).{0,1024}?(?=, input_type=\w{1,64}\]|\n|\Z)"
)
"""What a validation error of Pydantic's quotes: the input, whatever its name."""
_QUOTES: Final = "\"'`\\"
_ESCAPED_QUOTE: Final = re.compile(r"(\\{1,15})\"")
_FIRST_WORD: Final = re.compile(r"[\s,;&)\]}\"']")
_LINES: Final = frozenset({"authorization", "cookie", "cookies"})
"""Names of headers whose value has blanks in it: they own the rest of their line."""


class FreeText:
    """The rules for text without a structure that one can rely on.

    Args:
        names: the verdicts on names.
        values: the value rules.
        mark: writes the marks.
    """

    def __init__(self, names: Names, values: Values, mark: Marker = PLAIN) -> None:
        self.mark: Final = mark
        self._names: Final = names
        self._values: Final = values
        self._phrases: Final = Phrases(names, mark)

    def suspects_phrases(self, text: str) -> bool:
        """Tell whether something may be named without a sign or in escapes, in JSON text too."""
        return (
            self._phrases.suspects(text)
            or oauth.suspects(text)
            or percent.suspects(text, self.scrub)
            or entities.suspects(text, self.scrub)
        )

    @property
    def has_patterns(self) -> bool:
        """Tell whether the user added expressions."""
        return bool(self._values.own)

    def suspects(self, text: str) -> list[Rule]:
        """Name the value rules that find something in this text."""
        return self._values.suspects(text)

    def scrub(self, text: str, level: int = 0) -> str:
        """Mask assigned secrets and whatever a value rule finds.

        Args:
            text: decoded.
            level: how many percent-encodings were around it.
        """
        if "input_value=" in text:
            text = _INPUT.sub(rf"\1{MARK}", text)
        named, labelled, rules, _ = self._values.look(text)
        values_too = (labelled and self._names_a_value(text)) or (
            "': '" in text and self._names_a_value(text, _REPR_LABEL)
        )
        if named or labelled or values_too:
            masked = self.named(text, values_too=values_too, level=level)
            rules = rules if masked == text else self._values.suspects(masked)
        else:
            masked = text
        if not rules:
            return masked
        # A mark is a border, and behind a border a word may be a name.
        return self.named(self._values.scrub(masked, rules), values_too=values_too, level=level)

    def named(self, text: str, *, values_too: bool = False, level: int = 0) -> str:
        """Mask what a name tells: an assignment, an element, an argument, a column.

        Args:
            text: any text that is not JSON as a whole.
            values_too: each member called `value` is masked too, because its name is not known.
            level: how many percent-encodings were around it.
        """
        text = oauth.scrub(self._unescaped(text, level), self.mark)
        masked = self.assignments(self._phrases.scrub(text), values_too=values_too)
        return entities.scrub_read(masked, lambda plain: self.scrub(plain, level))

    def _unescaped(self, text: str, level: int = 0) -> str:
        if "%" not in text:
            return text
        return percent.scrub_escaped(text, lambda plain: self.scrub(plain, level + 1), level)

    def scrub_values(self, text: str) -> str:
        """Mask whatever a value rule finds, and no assignment."""
        return self._values.scrub(text)

    def end(self, text: str) -> str:
        """Mask what may be the beginning of a secret at the end of a text that was cut."""
        return mask_cut_end(mask_own_cut_end(text, self._values.owns.values()))

    def assigns(self, text: str) -> bool:
        """Tell whether a name may tell a secret inside of a string or a list of JSON text."""
        if self.suspects_phrases(text):
            return True
        # In JSON each colon but those of times and URLs is behind a quote.
        if "=" not in text and text.count(":") == text.count('":'):
            return False
        return any(
            self._names.is_sensitive(telling_before(text, sign.start(), self._names)[0])
            for pattern in _UNQUOTED_SIGNS
            for sign in pattern.finditer(text)
        )

    def assignments(self, text: str, *, values_too: bool = False) -> str:
        """Mask what is assigned to a sensitive name.

        Args:
            text: any text, cut anywhere; a value without an end is masked to the end.
            values_too: each member called `value` is masked too, because its name is not known.
        """
        parts: list[str] = []
        done = 0
        for sign in _SIGN.finditer(text):
            if sign.start() < done:
                continue
            name, quote, escape = telling_before(text, sign.start(), self._names, done)
            verdict = self._names[name]
            if not verdict or not self._masks(name, verdict, values_too=values_too):
                continue
            blanks = _BLANKS.match(text, sign.end())
            start = blanks.end() if blanks else sign.end()
            if not quote and (opening := _ESCAPED_QUOTE.match(text, start)):
                # An assignment inside of a JSON string that could not be decoded.
                quote, escape = '"', opening[1]
            if self._is_left(name, text, (sign.start(), start), quote, escape):
                continue
            # A name that opens a line of a header owns the line, unless it is quoted.
            whole_line = not quote and not _LINES.isdisjoint(tokens(name))
            end = line_end(text, start) if whole_line else value_end(text, start, escape)
            if not (quote or whole_line):
                start, end = owned(text, sign.start(), start, end)
            if end > start:
                parts += (text[done:start], self._marked(text[start:end], quote, escape, name))
                done = end
        return "".join((*parts, text[done:])) if parts else text

    def broken_json(self, text: str, *, cut: bool) -> str:
        """Mask in JSON that does not parse, is too large to walk, or was cut.

        Conservative where the structure is not known: one pair of `name` and `value` whose name
        is sensitive masks each `value`, and the last name of a denied path counts anywhere.

        Args:
            text: as it was captured.
            cut: the text goes on where it was not captured, so that a secret may be incomplete.
        """
        plain = plain_escapes(text, cut=cut)
        if plain != text:
            masked = self.broken_json(plain, cut=cut)
            return text if masked == plain else masked
        values_too = self._names_a_value(text)
        masked = self._in_json(self._without_inputs(text), values_too=values_too)
        rules = self._values.suspects(masked)
        if rules:
            tokens_of = _ANY_TOKEN if self.has_patterns else _TOKEN
            masked = tokens_of.sub(lambda token: self._token(token[0], rules), masked)
            masked = self._values.scrub(masked, rules)
            # A mark is a border, and behind a border a word may be a name.
            masked = self._in_json(masked, values_too=values_too)
        if not cut:
            return masked
        # Where the end is gone, a rule that it held back may find something.
        return self.scrub_values(self.end(mask_unnamed(masked, self._names, self.mark)))

    def _without_inputs(self, text: str) -> str:
        """Mask each `input` where one of Pydantic's errors says that it was a secret."""
        if not any(
            self._names.is_sensitive(step)
            for location in _LOCATION.finditer(text)
            for step in _STEP.findall(location[1])
        ):
            return text
        parts: list[str] = []
        done = 0
        for sign in _INPUT_SIGN.finditer(text):
            if sign.start() >= done:
                parts.append(text[done : sign.end()])
                done = value_end(text, sign.end(), "")
                parts.append(self._marked(text[sign.end() : done] or '"', '"', "", "input"))
        return "".join((*parts, text[done:]))

    def _in_json(self, text: str, *, values_too: bool) -> str:
        text = entities.scrub_pieces(text, self.scrub)
        text = oauth.scrub(self._unescaped(text), self.mark)
        return self.assignments(self._phrases.scrub_strings(text), values_too=values_too)

    def _token(self, token: str, rules: list[Rule]) -> str:
        if token[0] == '"':
            return token
        # A number that became a mark must be a string, or valid JSON would be so no more.
        scrubbed = self._values.scrub(token, rules)
        return token if scrubbed == token else f'"{scrubbed}"'

    def _names_a_value(self, text: str, labels: re.Pattern[str] | None = None) -> bool:
        if labels is None and '"' not in text:
            return False
        return any(
            self._names[label[1]] in (LABEL, LABEL_OR_SENSITIVE)
            and self._names.labels(spelled_out(label[2]))
            for label in (labels or _LABEL).finditer(text)
        )

    def _is_spared(self, name: str, text: str, start: int, escape: str) -> bool:
        # What is spared is read again behind the next sign, so only its beginning is read.
        if self._names[name] == SETTING and opens_setting(text, start):
            return True
        window = text[start : start + _LONGEST_SPARED]
        if self._names[name] == SETTING and window[:1] not in _QUOTES:
            # What follows `token_type=bearer` is no part of it.
            return is_setting(_FIRST_WORD.split(window, maxsplit=1)[0])
        end = value_end(window, 0, escape)
        if window and window[0] in _QUOTES and start + end == len(text) and text[-1] != window[0]:
            return False  # without its end nobody knows what it is
        return end < _LONGEST_SPARED and self._names.spares(name, window[:end].strip(_QUOTES))

    def _is_left(
        self, name: str, text: str, places: tuple[int, int], quote: str, escape: str
    ) -> bool:
        names, (sign, start) = self._names, places
        if names.decides(name) and self._is_spared(name, text, start, escape):
            return True
        if quote or not is_prose(name, text, sign, start):
            return False
        return names[name] != ON_A_PATH and not names.is_denied(name)

    def _marked(self, value: str, quote: str, escape: str, name: str) -> str:
        secret, rule = value.strip(_QUOTES), f"name:{name}"
        nested = secret.startswith(("{", "[")) and not secret.startswith("[REDACTED")
        mark = self.mark.nested(secret, rule) if nested else self.mark(secret, rule)
        if quote == '"':
            return f'{escape}"{mark}{escape}"'
        # A value that came with quotes keeps them, so that a statement stays readable.
        if value[0] in "\"'`":
            return f"{value[0]}{mark}{value[0]}"
        return mark

    def _masks(self, name: str, verdict: int, *, values_too: bool) -> bool:
        if verdict == SETTING:
            return True
        return self._names.is_sensitive(name) or (values_too and verdict in NAMED)


_TOKEN: Final = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|(?<![\w.-])\d{13,19}(?![\w.-])', re.DOTALL
)
_ANY_TOKEN: Final = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|(?<![\w.+-])-?\d[\w.+-]*', re.DOTALL
)
"""A user's expression may find something in any number."""
_LOCATION: Final = re.compile(r'"loc"\s{0,8}:\s{0,8}\[([^\]]{0,512})')
_STEP: Final = re.compile(r'"([^"]{1,128})"')
_INPUT_SIGN: Final = re.compile(r'"input"\s{0,8}:\s{0,8}')
"""An error of Pydantic's: where its input stood, and the input itself."""
_LABEL: Final = re.compile(r'"([A-Za-z_-]{3,20})\\{0,15}"\s{0,64}:\s{0,64}\\{0,15}"([^"]{1,256})')
_REPR_LABEL: Final = re.compile(r"'([A-Za-z_-]{3,20})': '([^']{1,256})")
"""The same in the `repr` of a dict, which exceptions quote."""
