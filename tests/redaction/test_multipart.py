import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy
from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.multipart import TOO_LONG, TOO_MANY, Multipart
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.values import Values
from tests.redaction.growth import grows_with_its_length

CANARY = "canary-hunter2"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"
CARD = "[REDACTED:card …1111]"
FORM_DATA = 'multipart/form-data; boundary="b 1"'


def room(**policy):
    made = RedactionPolicy(**policy)
    remove = made.mask == "remove"
    names, values = Names(made.deny, made.allow), Values(made.compiled())
    text = FreeText(names, values)
    documents = Documents(names, values, text, remove=remove)
    return Multipart(names, text, documents, Form(names, text, documents, remove=remove), remove=remove)  # fmt: skip


multipart = room()


def join(*parts, end="--\r\n", boundary="b 1"):
    """Join (headers, content) pairs; a header that is a bare name is the field's."""
    lines = [
        (
            f"--{boundary}\r\n"
            + (
                head
                if ":" in head or not head
                else f'Content-Disposition: form-data; name="{head}"'
            )
            + ("\r\n\r\n" if head else "\r\n")
        ).encode()
        + (content if isinstance(content, bytes) else content.encode())
        + b"\r\n"
        for head, content in parts
    ]
    return b"".join(lines) + f"--{boundary}{end}".encode()


def scrub(*parts, content_type=FORM_DATA, cut=False, **policy):
    """Mask a body of parts, and show that masking it again changes nothing."""
    made = room(**policy) if policy else multipart
    masked = made.scrub(join(*parts), content_type, cut=cut)
    assert masked is not None
    assert made.scrub(masked.encode(), content_type, cut=cut) == masked
    assert made.scrub(masked, content_type, cut=cut) == masked
    return masked


def shown(head, content, **policy):
    """Give what is shown as the content of one part."""
    masked = scrub((head, content), **policy)
    return masked.partition("\r\n\r\n")[2].removesuffix("\r\n--b 1--\r\n")


def file(name, more="", disposition='filename="a.png"'):
    return f'Content-Disposition: form-data; name="{name}"; {disposition}{more}'


def test_fields_keep_their_shape_and_lose_their_secrets():
    parts = (
        ("note", "hello"),
        ("user[password]", CANARY),
        (file("photo", "\r\nContent-Type: image/png"), b"\x89PNG\r\n\0" + CANARY.encode()),
        ("note", ""),
    )
    assert scrub(*parts) == (
        '--b 1\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        f'--b 1\r\nContent-Disposition: form-data; name="user[password]"\r\n\r\n{MARK}\r\n'
        '--b 1\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n<file image/png 21 B>\r\n"
        '--b 1\r\nContent-Disposition: form-data; name="note"\r\n\r\n\r\n--b 1--\r\n'
    )


def test_a_body_without_secrets_stays_as_it_is():
    body = join(("a", "1"), ("b[]", "two\r\nlines"), ("c", "--b 1x\r\n--b"), ("password", ""))
    assert multipart.scrub(body, FORM_DATA, cut=False) == body.decode()
    assert multipart.scrub(body.decode(), FORM_DATA, cut=False) == body.decode()


@pytest.mark.parametrize("content_type", [
    "multipart/form-data; boundary=xY-1", 'Multipart/Form-Data;charset=utf-8; BOUNDARY="xY-1"', "multipart/mixed;boundary=xY-1; a=b",
    "multipart/related ; boundary = xY-1", "multipart/form-data; boundary=xY-1; boundary=xY-1",
])  # fmt: skip
def test_the_boundary_is_read_quoted_and_bare(content_type):
    body = join(("password", CANARY), boundary="xY-1")
    masked = multipart.scrub(body, content_type, cut=False)
    assert masked == body.decode().replace(CANARY, MARK)


@pytest.mark.parametrize("content_type", [
    "", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other", "text/plain; boundary=xY-1",
    "multipart/form-data; boundary=xY-1; boundary=z", 'multipart/form-data; boundary="a\tb"', "multipart/form-data; boundary=" + "a" * 71,
    'multipart/form-data; boundary="xY-1 "', "boundary=xY-1",
])  # fmt: skip
def test_without_a_usable_boundary_nothing_is_shown(content_type):
    for boundary in ("xY-1", "a" * 71, "a\tb"):
        body = join(("a", "1"), boundary=boundary)
        assert multipart.scrub(body, content_type, cut=False) is None


@pytest.mark.parametrize("head", [
    "no colon", "a b: c", ": c", "A: b\r\nno colon", "A: b\rSet-Cookie: c", "A: \0", "A: " + "x" * 8_192,
    'Content-Disposition: form-data; name="', 'Content-Disposition: form-data; name="a"b"', 'Content-Disposition: form-data; name="a"b',
])  # fmt: skip
def test_malformed_headers_of_any_part_hide_the_body(head):
    broken = f"--b 1\r\n{head}\r\n\r\nx\r\n".encode()
    assert multipart.scrub(broken + join(("a", "1")), FORM_DATA, cut=False) is None
    assert multipart.scrub(broken, FORM_DATA, cut=False) is None


@pytest.mark.parametrize("body", [b"", b"x", b"--b 1x", b"x--b 1\r\n", b"\r\n--c--"])
def test_a_body_without_a_part_is_not_shown(body):
    assert multipart.scrub(body, FORM_DATA, cut=False) is None
    assert multipart.scrub(body, FORM_DATA, cut=True) is None


def test_a_part_without_a_blank_line_hides_the_body():
    assert (
        multipart.scrub(b"--b 1\r\nA: b\r\n--b 1\r\nA: b\r\n\r\nx--b 1--", FORM_DATA, cut=True)
        is None
    )
    assert multipart.scrub(b"--b 1\r\nA: b", FORM_DATA, cut=False) is None
    assert multipart.scrub(b"--b 1\r\n--b 1\r\n--b 1--", FORM_DATA, cut=False) is None


def test_an_empty_form_is_its_closing_delimiter():
    assert multipart.scrub(b"--b 1--", FORM_DATA, cut=False) == "--b 1--\r\n"


def test_preamble_and_epilogue_are_dropped():
    body = b"password preamble\r\n" + join(("a", "1")) + b"epilogue\r\n" + join(("b", CANARY))
    assert multipart.scrub(body, FORM_DATA, cut=False) == join(("a", "1")).decode()


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_delimiters_are_found_behind_any_line_break_and_with_padding(line_break):
    body = join(("a", "1"), ("password", CANARY)).replace(b"\r\n", line_break.encode())
    body = body.replace(b"--b 1" + line_break.encode(), b"--b 1 \t" + line_break.encode())
    masked = multipart.scrub(body, FORM_DATA, cut=False)
    assert masked == join(("a", "1"), ("password", MARK)).decode()


def test_a_delimiter_behind_a_bare_carriage_return_is_one():
    body = b'--b 1\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r' + join(("token", CANARY))
    assert CANARY not in multipart.scrub(body, FORM_DATA, cut=False)


def test_the_line_break_before_a_delimiter_may_end_the_headers():
    body = b'--b 1\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b 1--\r\n'
    assert multipart.scrub(body, FORM_DATA, cut=False) == join(("a", "")).decode()


@pytest.mark.parametrize("disposition", [
    'name="password"', "name=password", "name='password'", 'NAME = "password"', 'name="a[api_key]"', 'name="pass\\word"',
    'name="pass%77ord"', "name*=utf-8''pass%77ord", 'name*0="pass"; name*1="word"', 'name="=?utf-8?b?eA==?="', 'name="X-Amz-Signature"',
    'name="a"; name="token"', 'x="y"; name="ssn"', 'name="a;password"', 'name="\uff50assword"', 'filename="x"; name="secret"',
    'name="a\\"; x="b"; name="token"', 'name="password\\"',
])  # fmt: skip
def test_a_sensitive_name_is_found_however_it_is_spelled(disposition):
    head = f"Content-Disposition: form-data; {disposition}"
    assert shown(head, CANARY) == MARK
    assert shown(head, b"\x89\0" + CANARY.encode()) == MARK


def test_a_form_field_without_a_name_is_masked_and_a_part_of_a_mixed_body_is_not():
    assert shown("Content-Type: text/plain", CANARY) == MARK
    mixed = "multipart/mixed; boundary=b 1".replace("b 1", '"b 1"')
    parts = (("", f"hello {JWT}"), ("Content-Type: text/plain", "x=1"), ("Content-ID: <1@x>", "y"))
    masked = scrub(*parts, content_type=mixed)
    assert masked == join(*parts).decode().replace(JWT, MARK)


@pytest.mark.parametrize(("head", "content", "masked"), [
    ("note", f"see {JWT} and password=abc", f"see {MARK} and password={MARK}"),
    ("note", "4111 1111 1111 1111", CARD),
    ("note", '{"password":"x","a":1}', f'{{"password":"{MARK}","a":1}}'),
    ("note", ' [{"token":"x"}]', f' [{{"token":"{MARK}"}}]'),
    ('A: b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json', '"token=x"', f'"token={MARK}"'),
    ('Content-Type: application/vnd.api+json\r\nContent-Disposition: form-data; name="a"', '{"pin":1}', f'{{"pin":"{MARK}"}}'),
    ('Content-Type: application/x-www-form-urlencoded\r\nContent-Disposition: form-data; name="a"', "pin=1&a=2", f"pin={MARK}&a=2"),
    ('Content-Type: text/plain; charset=UTF-8\r\nContent-Disposition: form-data; name="a"', "Grüße", "Grüße"),
    ('Content-Type: text/plain; charset="iso-8859-1"\r\nContent-Disposition: form-data; name="a"', "Grüße pin=1".encode("latin-1"), f"Grüße pin={MARK}"),
    ('Content-Transfer-Encoding: 8bit\r\nContent-Disposition: form-data; name="a"', "x", "x"),
])  # fmt: skip
def test_a_text_field_is_masked_by_its_type_and_its_values(head, content, masked):
    assert shown(head, content) == masked


@pytest.mark.parametrize(("head", "content", "told"), [
    (file("a"), "text", "<file application/octet-stream 4 B>"),
    (file("a", disposition="filename*=utf-8''a.txt"), "text", "<file application/octet-stream 4 B>"),
    (file("a", disposition='FileName="'+ "C:\\\\dir\\"+'"'), "text", "<file application/octet-stream 4 B>"),
    (file("a", "\r\nContent-Type: text/plain"), "", "<file text/plain 0 B>"),
    ('Content-Type: Image/PNG; a=b\r\nContent-Disposition: form-data; name="a"', "x", "<file image/png 1 B>"),
    ('Content-Type: text/html\r\nContent-Disposition: form-data; name="a"', "x", "<file text/html 1 B>"),
    ('Content-Type: text\r\nContent-Disposition: form-data; name="a"', "x", "<file application/octet-stream 1 B>"),
    ('Content-Type: text/plain\r\nContent-Type: text/x\r\nContent-Disposition: form-data; name="a"', "x", "<file application/octet-stream 1 B>"),
    ('Content-Type: text/plain; charset=utf-7\r\nContent-Disposition: form-data; name="a"', "+AHA-", "<file text/plain 5 B>"),
    ('Content-Transfer-Encoding: BASE64\r\nContent-Disposition: form-data; name="a"', "aHVudGVy", "<file application/octet-stream 8 B>"),
    ('Content-Encoding: gzip\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="a"', "x", "<file text/plain 1 B>"),
    ("a", b"x\0y", "<file text/plain 3 B>"),
    ("a", b"x\xff", "<file text/plain 2 B>"),
    ('Content-Type: multipart/mixed; boundary=c\r\nContent-Disposition: form-data; name="a"', "--c\r\n\r\nhunter2\r\n--c--", "<file multipart/mixed 21 B>"),
])  # fmt: skip
def test_a_file_is_told_by_its_type_and_its_size(head, content, told):
    assert shown(head, content) == told


def test_a_file_that_claims_to_be_a_mark_is_shown_only_as_one_of_its_own_type():
    head = file("a", "\r\nContent-Type: image/png")
    assert shown(head, "<file image/png 12 B>") == "<file image/png 12 B>"
    assert shown(head, "<file image/png 12 B> x") == "<file image/png 23 B>"
    assert shown(head, "<file secret/hunter2 12 B>") == "<file image/png 26 B>"


def test_headers_are_kept_and_masked():
    head = (
        f'Content-Disposition: form-data; secret="x"; {JWT}=y; flag; name="a\\"b {JWT}"; creation-date="d"; filename="card-4111111111111111.png"\r\n'
        f"Content-Type: image/png;\r\n\tname={JWT}\r\nX-Api-Key: abc\r\nContent-ID: token=abc"
    )
    assert scrub((head, "x")).split("\r\n")[1:5] == [
        f'Content-Disposition: form-data; secret="{MARK}"; {MARK}=y; flag; name="{MARK}"; creation-date="d"; filename="card-{CARD}.png"',
        f"Content-Type: image/png; name={MARK}",
        f"X-Api-Key: {MARK}",
        f"Content-ID: token={MARK}",
    ]
    encoded = scrub((file("a", disposition=f"filename*=utf-8''{JWT.replace('.', '%2E')}"), "x"))
    assert f"filename*={MARK}\r\n" in encoded
    latin = join((file("a", disposition='filename="ü"'), "x")).replace("ü".encode(), b"\xfc")
    assert 'filename="ü"' in multipart.scrub(latin, FORM_DATA, cut=False)


def test_a_long_field_is_cut_at_1024_characters_with_a_mark():
    assert shown("a", "€" * 1_024) == "€" * 1_024
    assert shown("a", "€" * 1_025) == "€" * 1_024 + TOO_LONG
    assert shown("a", "€" * 100_000) == "€" * 1_024 + TOO_LONG
    assert shown("a", "x" * 1_020 + " eyJhbGci") == "x" * 1_020 + " " + MARK + TOO_LONG
    assert shown("password", "x" * 2_000) == MARK
    body = '{"password":"' + "x" * 2_000 + '"}'
    assert shown("a", body) == f'{{"password":"{MARK}"{TOO_LONG}'
    grown = shown("a", "pin=1&" * 170)
    assert grown == f"pin={MARK}&" * 170
    assert shown("a", "pin=1 " * 200) == f"pin={MARK} " * 170 + f"pin={TOO_LONG}"


def test_marks_in_a_field_do_not_open_it_without_end():
    assert shown("a", MARK + "x" * 5_000) == MARK + "x" * (1_024 - len(MARK)) + TOO_LONG
    assert shown("a", "x" * 5_000 + TOO_LONG) == "x" * 1_024 + TOO_LONG
    form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Disposition: form-data; name="a"'
    # Each character takes nine as an escape.
    assert shown(form, f"a={JWT}" + "€" * 800) == MARK


def test_what_is_taken_out_leaves_no_delimiter_behind():
    form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Disposition: form-data; name="a"'
    assert shown(form, "\r\n--b 1&password=x", mask="remove") == MARK


def test_a_cut_body_ends_where_it_was_cut():
    body = join(("a", "1"), (file("f", "\r\nContent-Type: image/png"), b"\x89PNG\0" * 8))

    def cut(end):
        masked = multipart.scrub(body[:end], FORM_DATA, cut=True)
        if masked is not None:
            assert multipart.scrub(masked, FORM_DATA, cut=True) == masked
        return masked

    assert cut(None) == multipart.scrub(body, FORM_DATA, cut=False)
    start = body.index(b"\x89")
    assert cut(start + 7).endswith("\r\n\r\n<file image/png 7 B, cut>")
    second = body.index(b"--b 1\r\n", 1)
    for end in range(second + len("--b 1"), body.index(b"\r\n\r\n", second) + 4):
        assert cut(end) == join(("a", "1"), end="\r\n").decode()
    assert cut(body.index(b"1\r\n--b 1") + 1).endswith('name="a"\r\n\r\n1')
    half = join(("note", "eyJhbGciOi"), ("x", ""))
    field = half[: half.index(b"Oi")]
    assert multipart.scrub(field, FORM_DATA, cut=True).endswith(f"\r\n\r\n{MARK}")
    assert multipart.scrub(field, FORM_DATA, cut=False).endswith("\r\n\r\neyJhbGci")
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    half = join(("note", f"{key}41111111"))[: -len("\r\n--b 1--\r\n")]
    assert multipart.scrub(half, FORM_DATA, cut=True).endswith(f"\r\n\r\n{MARK}{MARK}")
    letter = join(("note", "ü"))
    assert multipart.scrub(letter[: letter.index("ü".encode()) + 1], FORM_DATA, cut=True).endswith(
        "\r\n\r\n"
    )


def test_a_hundred_parts_are_shown():
    parts = [("a", str(index)) for index in range(101)]
    assert scrub(*parts[:100]) == join(*parts[:100]).decode()
    assert scrub(*parts) == join(*parts[:100], end="\r\n").decode() + TOO_MANY


def test_a_policy_applies_to_fields():
    parts = (("user[mail]", "a"), ("mail", "b"), ("cfg.token", "c"), ("token", "d"), ("iban2", "e"))
    masked = scrub(*parts, deny=["user.mail", "iban2"], allow=["cfg.token"])
    values = [part.partition("\r\n\r\n")[2] for part in masked.split("\r\n--b 1")[:-1]]
    assert values == [MARK, MARK, "c", MARK, MARK]
    digits = scrub((file("a"), "x" * 12), ("b", "12 b"), patterns=[r"\d+"])
    assert "octet-stream 12 B>" in digits
    assert f"{MARK} b" in digits


def test_remove_takes_the_part_and_the_header_out():
    parts = (
        ("a", "1"),
        ("password", CANARY),
        ("Content-Disposition: form-data; name=b\r\nX-Api-Key: k", "2"),
    )
    kept = (("a", "1"), ("Content-Disposition: form-data; name=b", "2"))
    assert scrub(*parts, mask="remove") == join(*kept).decode()
    assert scrub(("password", CANARY), mask="remove") == "--b 1--\r\n"
    removing = room(mask="remove")
    body = join(("a", "41111111"), ("password", CANARY))[:-12]
    for cut in (True, False):
        masked = removing.scrub(body, FORM_DATA, cut=cut)
        assert masked == join(("a", "41111111"), end="\r\n").decode()
        assert removing.scrub(masked, FORM_DATA, cut=cut) == masked


@given(
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=40) | st.binary(max_size=40)), max_size=4),
    st.sampled_from(["password", "api_key", "a[token]", "X-Amz-Signature"]),
    st.sampled_from(["", "; filename=x", "\r\nContent-Type: application/json", "\r\nContent-Type: image/png"]),
    st.booleans(),
)  # fmt: skip
def test_the_value_of_a_denied_name_is_gone_wherever_the_body_is_cut(others, name, more, cut):
    fields = [("Content-Disposition: form-data; name=a", content) for _, content in others]
    secret = (f'Content-Disposition: form-data; name="{name}"{more}', CANARY)
    body = join(*fields, secret, ("z", "1"))
    for end in range(0, len(body) + 1, 1 + len(body) // 60):
        masked = multipart.scrub(body[:end], FORM_DATA, cut=cut)
        if masked is not None:
            assert CANARY[:4] not in masked
            assert multipart.scrub(masked.encode(), FORM_DATA, cut=cut) == masked


soup = st.lists(
    st.sampled_from([
        b"--b 1", b"--b 1\r\n", b"\r\n--b 1\r\n", b"\n--b 1--", b"\r\n\r\n", b"\r\n", b"\r", b'Content-Disposition: form-data; name="', b'a"', b'pin"',
        b'; filename="', b"Content-Type: ", b"application/json", b"application/x-www-form-urlencoded", b"text/plain", b"; charset=latin1", b"image/png", b"=", b"&",
        b"\xff", b"\0", b'{"pin":', b"1234", b"}", b"token=1", b"4111 1111 1111 1111", JWT.encode(), b"<file text/plain 1 B>", TOO_LONG.encode(), b"\\", b'"', b";",
        b" ", MARK.encode(), b"x" * 1_030, b"A: b\r\n", b"Cookie: ", b"%22", b"'", b"=?",
    ]) | st.binary(max_size=4),
    max_size=24,
).map(b"".join)  # fmt: skip


@given(soup, st.booleans(), st.sampled_from([FORM_DATA, 'multipart/mixed; boundary="b 1"']), st.sampled_from(["mask", "remove"]))  # fmt: skip
def test_masking_twice_is_masking_once(body, cut, content_type, mask):
    made = multipart if mask == "mask" else room(mask=mask)
    once = made.scrub(b"--b 1\r\n" + body, content_type, cut=cut)
    if once is not None:
        assert made.scrub(once.encode(), content_type, cut=cut) == once


@pytest.mark.parametrize("unit", [
    b"--b 1\r\n", b"--b 1\r\n\r\n\r\n", b"--b 1", b"\n--b 1 ", b"-", b"\r\n", b"\r", b'; a="', b"A: b\r\n", b";", b"=?", b'"', b"\\", b"  ", b"\xff",
    b'--b 1\r\nContent-Disposition: form-data; name="a"; x="\r\n\r\n',
])  # fmt: skip
@pytest.mark.parametrize("prefix", [b"", b"--b 1\r\n", b"--b 1\r\nContent-Disposition: form-data;", b"--b 1\r\n\r\n"])  # fmt: skip
def test_hostile_bodies_take_linear_time(unit, prefix):
    def work(body):
        multipart.scrub(body, FORM_DATA, cut=True)

    assert grows_with_its_length(work, lambda size: prefix + unit * (size // len(unit)))


@pytest.mark.parametrize("mask", ["mask", "remove"])
def test_a_field_is_named_by_its_sibling(mask):
    masked = scrub(
        ("value", CANARY),
        ("name", "password"),
        ("a[0][key]", "city"),
        ("a[0][value]", "Rome"),
        ("a[1][field]", "user.pin"),
        ("a[1][content]", CANARY),
        mask=mask,
    )
    assert CANARY not in masked
    assert "Rome" in masked
    assert "\r\npassword\r\n" in masked


def test_a_file_names_no_sibling():
    assert shown(file("name"), "password").startswith("<file")
    masked = scrub((file("name"), "password"), ("value", "Rome"))
    assert "Rome" in masked
