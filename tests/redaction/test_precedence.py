"""What wins where two rules speak of one value: the table of docs/privacy.md, row by row."""

import json
from pathlib import Path

import pytest

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
CARD = "4111 1111 1111 1111"
SHOWN_CARD = "[REDACTED:card …1111]"


ROWS = [
    ("`deny` over `allow`", {"deny": ["token"], "allow": ["token"]}, {"token": "x"}, {"token": MARK}),
    ("`deny` over `allow`", {"deny": ["token"], "allow": ["a.token"]}, {"a": {"token": "x"}}, {"a": {"token": MARK}}),
    ("`deny` over `allow`", {"deny": ["a.token"], "allow": ["token"]}, {"a": {"token": "x"}}, {"a": {"token": MARK}}),
    ("`deny` over the harmless names", {"deny": ["author"]}, {"author": "x"}, {"author": MARK}),
    ("`deny` over null, true and false", {"deny": ["private"]}, {"private": True}, {"private": MARK}),
    ("`deny` over the sense of the value", {"deny": ["key"]}, {"key": "A-1"}, {"key": MARK}),
    ("`allow` over the built-in names", {"allow": ["token"]}, {"token": "x", "pin": 1}, {"token": "x", "pin": MARK}),
    ("`allow` over the built-in names", {"allow": ["a.token"]}, {"a": {"token": "x"}, "token": "x"}, {"a": {"token": "x"}, "token": MARK}),
    ("value rules over `allow`", {"allow": ["card_number"]}, {"card_number": CARD}, {"card_number": SHOWN_CARD}),
    ("`patterns` over `allow`", {"allow": ["token"], "patterns": ["cust-[0-9]"]}, {"token": "cust-1"}, {"token": MARK}),
    ("a name over the value rules", {}, {"card_number": CARD}, {"card_number": MARK}),
    ("a harmless name over its words", {}, {"max_tokens": 5, "author": "x"}, {"max_tokens": 5, "author": "x"}),
    ("a sibling `value` over the name `key`", {}, {"key": "password", "value": "x"}, {"key": "password", "value": MARK}),
    ("a mark over everything", {"patterns": ["RED|ACT"]}, {"pin": MARK, "a": MARK}, {"pin": MARK, "a": MARK}),
    ("the rules over what `callback` returns", {"callback": lambda text, _: text.replace('"a"', '"pin"')}, {"a": "x"}, {"pin": MARK}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "policy", "document", "shown"), ROWS)
def test_this_wins_over_that(row, policy, document, shown):
    redactor = Redactor(RedactionPolicy(**policy))
    assert json.loads(redactor.body(json.dumps(document), "application/json")) == shown
    escaped = json.dumps({**document, "note": "a\nb"})
    assert json.loads(redactor.body(escaped, "application/json")) == {**shown, "note": "a\nb"}


def test_the_page_has_these_rows_and_no_others():
    table = PAGE.read_text().partition("| this | wins over |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").replace(" | ", " over ") for line in table.splitlines()[2:]]
    assert rows == list(dict.fromkeys(row for row, *_ in ROWS))
