import io
import json
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_apimetrics.redaction import RedactionPolicy, Redactor
from otel_apimetrics.redaction.marks import MODES

LOGIN = """\
{
  "user": "ada",
  "password": "correct horse battery",
  "note": "call me",
  "pin": 1234
}
"""


def test_the_listing_shows_what_changes_and_by_which_rule(run, write):
    name = write("login.json", LOGIN)
    done = run("redact-test", name)
    assert done.err == ""
    assert done == (
        0,
        f"""\
{name}: read as application/json (by its name)

@@ line 3 @@
    "user": "ada",
-   "password": "co…",
+   "password": "[REDACTED]",  ← name:password
    "note": "call me",
-   "pin": …
+   "pin": "[REDACTED]"  ← name:pin
  }}

Rule           Found
name:password      1
name:pin           1

2 places would be masked, by 2 rules.
""",
        "",
    )


def test_lines_far_apart_have_a_head_each_and_lines_side_by_side_have_one(redact):
    text = "pin=1\npin=2\na\nb\nc\npin=3"
    out = redact(text, "--type", "text").out
    assert "@@ line 1 @@\n- pin=…\n+ pin=[REDACTED]  ← name:pin\n- pin=…\n" in out
    assert "  a\n@@ line 6 @@\n  c\n- pin=…\n+ pin=[REDACTED]  ← name:pin\n\n" in out
    assert "\n  b\n" not in out


def test_where_nothing_is_masked_it_says_so(redact):
    done = redact("ordinary")
    assert done == (
        0,
        "standard input: read as text/plain (by its content)\n\nNothing would be masked.\n",
        "",
    )


def test_what_is_only_written_in_another_way_is_no_finding(redact):
    out = redact("https://x.de/a#part").out
    assert "- https://x.de/a…\n+ https://x.de/a  ← rewritten\n" in out
    assert "Nothing would be masked.\nSome of it is left out or written in another way.\n" in out


def test_one_line_of_json_is_shown_one_member_a_line_where_it_is_long(redact):
    text = json.dumps({"note": "x" * 150, "password": "hunter2hunter2", "a": [[], {}, None, 1.50]})
    out = redact(text).out
    assert "(shown one member a line; line breaks are not part of it)" in out
    assert '@@ line 3 @@\n    "note": "xxx' in out
    assert '-   "password": "hu…",\n+   "password": "[REDACTED]",  ← name:password\n' in out


def test_a_document_that_production_writes_in_one_line_is_shown_in_as_many_as_before(redact):
    text = json.dumps({"a": 'say "hi"', "n": "Bearer abcdefgh"}, indent=2)
    done = redact(text)
    assert '-   "n": "Bearer ab…"\n+   "n": "Bearer [REDACTED]"  ← value:auth_scheme\n' in done.out
    said = json.loads(redact(text, "--json").out)
    assert "\n" not in said["result"]


def test_a_short_line_of_json_is_shown_as_it_is(redact):
    assert '- {"pin":…}\n+ {"pin":"[REDACTED]"}  ← name:pin\n' in redact('{"pin":1234}').out


def test_what_does_not_parse_is_shown_as_it_is(redact):
    text = '{"a": "' + "x" * 200 + '", "pin": "1234"'
    out = redact(text).out
    assert '"pin": "…"' in out
    assert " ⋯ " in out
    assert "x" * 100 not in out


def test_a_masked_object_is_shown_by_its_first_letter(redact):
    text = json.dumps({"token": {"a": 1, "b": [1]}, "z": 1, "pin": [1, 2]}, indent=2)
    out = redact(text).out
    assert '-   "token": {…,\n+   "token": "[REDACTED]",  ← name:token\n    "z": 1' in out
    assert '-   "pin": […\n+   "pin": "[REDACTED]"  ← name:pin\n' in out


def test_what_has_many_lines_is_one_change_in_text(redact):
    key = "-----BEGIN RSA PRIVATE KEY-----\nabcd\nefgh\n-----END RSA PRIVATE KEY-----"
    out = redact(f"before\nsee {key} there\nafter\n").out
    assert "  before\n- see --… there\n+ see [REDACTED] there  ← value:pem\n  after\n\n" in out


def test_a_long_query_is_shown_one_pair_a_line(redact):
    text = "&".join([*(f"name{at}={'x' * 20}" for at in range(6)), "token=abcdefghijk", "z=1"])
    out = redact(text).out
    assert "(shown one pair a line; line breaks are not part of it)" in out
    assert "@@ line 7 @@" in out
    assert "- token=ab…&\n+ token=[REDACTED]&  ← name:token\n  z=1\n" in out


def test_what_is_removed_has_no_line_of_its_own(redact):
    out = redact(LOGIN, "--mask", "remove").out
    assert (
        '    "user": "ada"\n'
        '-   "password": "co…"  ← name:password\n'
        '    "note": "call me"\n'
        '-   "pin": …  ← name:pin\n'
        "  }\n" in out
    )


def test_a_query_without_its_removed_pairs_is_shown(redact):
    out = redact("a=1&token=abcdefghijk", "--type", "form", "--mask", "remove").out
    assert "- a=1&token=ab…\n+ a=1  ← name:token\n" in out


def test_all_that_is_removed_may_be_shown(redact):
    out = redact(LOGIN, "--show").out
    assert '-   "password": "correct horse battery",' in out
    text = json.dumps({"token": {"a": 1}}, indent=2)
    assert (
        '-   "token": {\n-     "a": 1\n-   }\n+   "token": "[REDACTED]"'
        in redact(text, "--show").out
    )


def test_a_mark_says_what_the_mode_says(redact):
    assert (
        "+ password=[REDACTED:…tery]  "
        in redact("password=correct-horse-battery", "--mask", "last4", "--type", "text").out
    )


def test_the_end_of_a_cut_body_is_told(redact):
    out = redact("see ghp_abc", "--truncated").out
    assert "- see …\n+ see [REDACTED]  ← cut\n" in out


def test_a_letter_that_was_cut_is_no_error_where_the_body_was(redact):
    assert redact("wörd".encode()[:2], "--truncated", "--type", "text").code == 0


def test_what_leaves_no_mark_is_told_by_its_rule(redact, monkeypatch):
    assert (
        '+ {"query":"{ a(b: 0) { c } }"}  ← graphql\n'
        in redact('{"query":"{ a(b: 7) { c } }"}').out
    )
    monkeypatch.setenv("OTEL_APIMETRICS_REDACTION_CALLBACK", "posixpath:join")
    assert "- ordinary\n+ ordinary/body  ← callback\n" in redact("ordinary").out


def test_each_line_has_the_rules_of_its_own_marks(redact):
    text = "<a>\n<pin>1234</pin>\n<b>[REDACTED]</b>\n<c>token=abc</c>\n<!-- <pin>x</pin> -->\n</a>"
    out = redact(text).out
    assert "+ <pin>[REDACTED]</pin>  ← name:pin\n" in out
    assert "  <b>[REDACTED]</b>\n" in out
    assert "+ <c>token=[REDACTED]</c>  ← name:token\n" in out
    assert "+ <!--[REDACTED]-->  ← structure\n" in out


def test_a_form_in_parts_is_read_with_its_files(redact):
    text = (
        b'--b\r\nContent-Disposition: form-data; name="pin"\r\n\r\n1234\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n\xff\r\n--b--\r\n'
    )
    for flags in [(), ("--type", "multipart/form-data; boundary=b")]:
        done = redact(text, *flags)
        assert "- …\n+ [REDACTED]  ← name:pin\n" in done.out
        assert "+ <file application/octet-stream 1 B>  ← file\n" in done.out
    said = json.loads(redact(text, "--json").out)
    assert [one["rule"] for one in said["findings"]] == ["name:pin", "file"]


def test_line_breaks_of_http_are_not_shown(redact):
    out = redact("Host: a\r\nX-Api-Key: abcdefghijk\r\n").out
    assert "  Host: a\n- X-Api-Key: ab…\n+ X-Api-Key: [REDACTED]  ← header:x-api-key\n\n" in out


def test_a_terminal_is_not_told_what_to_do(redact):
    out = redact("a\x1b[31m\u202e\x07 password=hunter2hunter2 \x9b").out
    assert "a\\x1b[31m\\u202e\\x07 password=hu… \\x9b" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("text", "kind", "masked"),
    [
        ("?a=1&token=abc\n", "query", "?a=1&token=[REDACTED]\n"),
        ("a=1&token=abc", "query", "a=1&token=[REDACTED]"),
        ("https://u:abcd@x.de/?token=abc", "query", "https://[REDACTED]@x.de/?token=[REDACTED]"),
        ("user=a&pin=1\r\n", "form", "user=a&pin=[REDACTED]\r\n"),
        ('{"a":1}\n{"pin":2}\n', "ndjson", '{"a":1}\n{"pin":"[REDACTED]"}\n'),
        ('data: {"pin":2}\n\n', "sse", 'data: {"pin":"[REDACTED]"}\n\n'),
        ("Cookie: a=b", "headers", "Cookie: a=[REDACTED]"),
        ('{"pin":2}', "application/problem+json", '{"pin":"[REDACTED]"}'),
        ("pin=2", "text/plain", "pin=[REDACTED]"),
        ("pin=2", "image/png", ""),
    ],
)
def test_each_kind_passes_what_production_redacts_it_with(redact, text, kind, masked):
    said = json.loads(redact(text, "--type", kind, "--json").out)
    assert said["result"] == masked
    assert said["changed"]
    assert said["findings"]


def test_the_json_tells_findings_by_path_and_place(redact):
    done = redact(LOGIN, "--json")
    assert done.out.isascii()
    assert json.loads(done.out) == {
        "changed": True,
        "findings": [
            {
                "rule": "name:password",
                "path": "password",
                "line": 3,
                "column": 16,
                "mark": "[REDACTED]",
            },
            {"rule": "name:pin", "path": "pin", "line": 5, "column": 11, "mark": "[REDACTED]"},
        ],
        "result": LOGIN.replace("correct horse battery", "[REDACTED]").replace(
            "1234", '"[REDACTED]"'
        ),
        "survived": [],
        "absent": [],
    }


def test_a_finding_in_a_name_has_the_path_of_what_holds_it(redact):
    said = json.loads(redact('{"a": [{"ghp_abcdefghijklmnopqrstuv": {"pin": 1}}]}', "--json").out)
    assert [(one["rule"], one["path"]) for one in said["findings"]] == [
        ("value:github", "a[0]"),
        ("name:pin", "a[0].[REDACTED].pin"),
    ]


def test_a_finding_where_there_are_no_paths_has_its_place_alone(redact):
    said = json.loads(redact("a\n b pin=1234", "--type", "text", "--json").out)
    assert said["findings"] == [
        {"rule": "name:pin", "line": 2, "column": 8, "mark": "[REDACTED]"},
    ]
    said = json.loads(redact('{"pin": "1234', "--json").out)
    assert "path" not in said["findings"][0]


def test_a_secret_that_is_gone_is_said_to_be(redact):
    done = redact(LOGIN, "--secret", "correct horse battery")
    assert done.code == 0
    assert done.out.endswith("--secret 1 is gone.\n")


def test_a_secret_that_is_left_fails_with_its_place_and_a_remedy(redact):
    done = redact(LOGIN, "--secret", "1234", "--secret", "call me")
    assert done.code == 1
    assert "--secret 1 is gone.\n--secret 2 is LEFT: note, line 4, column 12\n" in done.out
    assert "--deny NAME" in done.out
    assert "call me" not in done.out
    assert '"note": "<secret 2>"' in done.out


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": [{"b": "x canary-7"}]}', "a[0].b, line 1, column 17"),
        ('{"a": {"canary-7": 1}}', "a, line 1, column 9"),
        ('{"a": {"canary-7": {"b": "canary-7"}}}', "a, line 1, column 9"),
        ('{"a": 12345678}', "a, line 1, column 7"),
        ('{"a": "canary-7"', "line 1, column 8"),
        ('{"a": "\\u0063anary-7"}', "a, line 1, column 8"),
    ],
)
def test_a_secret_that_is_left_in_json_is_named_by_its_path(redact, text, where):
    out = redact(text, "--secret", "canary-7", "--secret", "12345678").out
    assert f" is LEFT: {where}\n" in out


def test_a_secret_that_was_never_there_proves_nothing_and_says_so(redact):
    done = redact(LOGIN, "--secret", "hunter2")
    assert done.code == 0
    assert "--secret 1 is not in the input, so this proves nothing about it.\n" in done.out


def test_the_json_tells_secrets_by_their_index_and_never_by_their_value(redact):
    text = '{"call me": "call%20me", "token": "hunter2"}'
    flags = ["--secret", "hunter2", "--secret", "call me", "--secret", "other"]
    done = redact(text, "--json", *flags)
    assert done.code == 1
    said = json.loads(done.out)
    assert (said["survived"], said["absent"]) == ([1], [2])
    assert said["result"] == '{"<secret 2>": "<secret 2>", "token": "[REDACTED]"}'


@pytest.mark.parametrize("flags", [(), ("--show",), ("--json",), ("--show", "--color", "always")])
@pytest.mark.parametrize("mask", MODES)
def test_no_output_shows_a_given_secret(redact, flags, mask):
    text = 'note=canary-secret-7 token=canary-secret-7\n{"canary-secret-7 token": "x"}'
    done = redact(text, "--secret", "canary-secret-7", "--type", "text", "--mask", mask, *flags)
    assert done.code == 1
    assert "canary" not in re.sub(r"\x1b\[[\d;]*m", "", done.out)


def test_a_secret_in_the_name_of_a_rule_is_not_shown(redact):
    text = '{"password-canary": "x"}'
    for flags in [(), ("--json",)]:
        assert "canary" not in redact(text, "--secret", "canary", *flags).out


def test_colours_are_for_those_who_ask(redact):
    text = "note=1 password=hunter2hunter2"
    plain = redact(text).out
    coloured = redact(text, "--color", "always").out
    assert "\x1b" not in plain
    assert redact(text, "--color", "never").out == plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    assert "\x1b[1;7;32m[REDACTED]\x1b[0m\x1b[90m  ← name:password\x1b[0m" in coloured
    assert "\x1b[1;31mhu…\x1b[0m" in coloured
    assert redact(text, "--color", "sometimes").code == 2


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": ""}, True),
    ],
)
def test_a_terminal_has_colours_unless_it_was_told_not_to(monkeypatch, redact, environ, colours):
    monkeypatch.delenv("TERM", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    redact("password=hunter2hunter2")
    assert ("\x1b" in terminal.getvalue()) == colours


def test_no_color_gives_way_to_the_flag(monkeypatch, run):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" in run("redact-test", "-", "--color", "always", stdin="pin=1234").out


def test_who_types_is_told_how_to_end(monkeypatch, capsys, run):
    class Typed(io.TextIOWrapper):
        def isatty(self):
            return True

    from otel_apimetrics.cli.main import main

    monkeypatch.setattr(sys, "stdin", Typed(io.BytesIO(b"pin=1234")))
    assert main(["redact-test", "-"]) == 0
    assert "end with Ctrl-D" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        (b"\xff\x00", (), "- is no text in UTF-8: convert it (iconv -t utf-8)"),
        ("x", ("--type", "yaml"), "--type 'yaml' is not known: use json, har,"),
        ("x", ("--type", "foo/bar"), "--type 'foo/bar' is not known: use json, har,"),
        ("x", ("--deny=",), "--deny='"),
        ("x", ("--deny=a", "--deny= "), "--deny='"),
        ("x", ("--allow=",), "--allow='"),
        ("x", ("--deny=/users/email",), "--deny is not accepted: redaction option deny holds"),
        ("x", ("--deny=!!!",), "--deny is not accepted: redaction option deny holds '!!!',"),
        ("x", ("--mask=",), "--mask is empty: use mask, remove,"),
        ("x", ("--mask", "stars"), "--mask is not accepted"),
        ("x", ("--secret", "abc"), "--secret 1 has fewer than 4 characters"),
        ("x", ("--type", "har"), "-: this is no HTTP Archive"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy_and_without_a_trace(redact, text, flags, message):
    done = redact(text, *flags)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"otel-apimetrics redact-test: {message}")
    assert done.err.count("\n") == 1


def test_a_file_that_cannot_be_read_is_named(run, tmp_path):
    for path in (tmp_path, tmp_path / "nothing.json"):
        done = run("redact-test", str(path))
        assert done.code == 2
        assert f"cannot read {path}: " in done.err
        assert "Name a file, or - for standard input." in done.err


def test_a_byte_order_mark_says_how_to_decode(redact):
    assert '"[REDACTED]"' in redact('\ufeff{"pin": "1234"}'.encode("utf-16")).out


@pytest.mark.swallows_errors
def test_a_redaction_that_fails_shows_nothing_of_the_text(redact, monkeypatch):
    monkeypatch.setenv("OTEL_APIMETRICS_REDACTION_CALLBACK", "json:loads")
    out = redact("ordinary words", "--type", "text").out
    assert "- or…\n+ [REDACTED:error]  ← error\n" in out


NAMES = st.sampled_from(["id", "password", "token", "note", "name", "value", "session_id"])
TEXTS = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["Bearer zzzzzzzzzz", "4111 1111 1111 1111", "pin=zzzz", '{"pin": "zzzz"}']),
)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        st.one_of(TEXTS, st.integers(), st.none()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=5,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(document=DOCUMENTS, mode=st.sampled_from(MODES), indent=st.sampled_from([None, 2]))
def test_any_document_is_listed_and_its_result_is_productions(
    redact, monkeypatch, document, mode, indent
):
    monkeypatch.setenv("OTEL_APIMETRICS_REDACTION_KEY", "key")
    text = json.dumps(document, indent=indent)
    done = redact(text, "--type", "json", "--mask", mode)
    assert (done.code, done.err) == (0, "")
    said = json.loads(redact(text, "--type", "json", "--mask", mode, "--json").out)
    policy = RedactionPolicy(mask=mode, key="key")
    assert said["result"] == Redactor(policy).body(text, "application/json")
    assert said["changed"] == ("@@" in done.out or "- " in done.out)
    assert ("Nothing would be masked." in done.out) == (not said["findings"])
    # What only redaction knows of is never shown in full.
    if mode != "last4" and "zzzz" not in said["result"]:
        assert "zzz" not in done.out
