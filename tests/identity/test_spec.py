import base64
import sys

import pytest

from otel_apimetrics.exchange import Exchange, Request
from otel_apimetrics.identity import SpecError, by_key, identify_by, is_async, mask_key

HEADERS = (
    ("x-consumer", "acme"),
    ("x-api-key", "abc123"),
    ("authorization", "Basic " + base64.b64encode(b"aladdin:opensesame").decode()),
)
SENT = Exchange(
    id="0" * 32, request=Request(method="GET", headers=HEADERS, client_address="203.0.113.0")
)

LONG = Exchange(
    id="0" * 32, request=Request(method="GET", headers=(("x-long-key", "abcd1234efgh"),))
)

MODULE = """
class Identify:
    def __call__(self, exchange):
        return "object"

class Holder:
    identify = Identify()

def function(exchange):
    return exchange.request.method

async def slowly(exchange):
    return "slow"

number = 5
"""


@pytest.fixture
def hooks_module(tmp_path, monkeypatch):
    (tmp_path / "apimetrics_hooks_sample.py").write_text(MODULE)
    (tmp_path / "apimetrics_hooks_broken.py").write_text("raise SystemError('at import')")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "apimetrics_hooks_sample"
    sys.modules.pop("apimetrics_hooks_sample", None)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("header:x-consumer", "acme"),
        (" header : X-Consumer ", "acme"),
        ("basic", "aladdin"),
        ("bearer:sub", None),
        ("client_address", "203.0.113.0"),
        ("bearer:sub,header:x-absent , basic", "aladdin"),
        ("header:x-consumer,basic", "acme"),
    ],
)
def test_a_word_names_its_hook(spec, expected):
    assert identify_by(spec)(SENT) == expected


@pytest.mark.parametrize("salt", ["", "pepper"])
def test_a_key_is_salted_as_configured(salt):
    assert identify_by("key:x-api-key", salt=salt)(SENT) == by_key("x-api-key", salt)(SENT)
    assert identify_by("bearer:sub,key:x-api-key", salt=salt)(SENT) == by_key("x-api-key", salt)(
        SENT
    )


def test_a_key_may_be_named_as_readme_compares_it():
    assert identify_by("bearer:sub,readme_key:x-long-key")(LONG) == mask_key("abcd1234efgh")


def test_a_claim_keeps_its_colons():
    payload = base64.urlsafe_b64encode(b'{"https://example.com/id": "acme"}').decode().rstrip("=")
    request = Request(method="GET", headers=(("authorization", f"Bearer a.{payload}.b"),))
    assert identify_by("bearer:https://example.com/id")(Exchange(id="0", request=request)) == "acme"


@pytest.mark.parametrize(
    ("attribute", "expected"), [("function", "GET"), ("Holder.identify", "object")]
)
def test_an_import_path_names_a_hook(hooks_module, attribute, expected):
    assert identify_by(f"{hooks_module}:{attribute}")(SENT) == expected
    assert identify_by(f"bearer:sub, {hooks_module}:{attribute}")(SENT) == expected


def test_an_async_hook_makes_an_async_chain(hooks_module):
    assert is_async(identify_by(f"{hooks_module}:slowly"))
    assert is_async(identify_by(f"basic,{hooks_module}:slowly"))


@pytest.mark.parametrize(
    "spec",
    [
        "",
        " ",
        "header",
        "header:",
        "header: ",
        "bearer",
        "key",
        "readme_key:",
        "basic:x",
        "basic:",
        "client_address:x",
        "ip",
        "x:",
        ":y",
        "basic,",
        ",basic",
        "Header",
    ],
)
def test_a_word_that_is_not_understood_is_refused_with_the_list_of_words(spec):
    with pytest.raises(SpecError) as caught:
        identify_by(spec)
    for word in (
        "header:NAME",
        "basic",
        "bearer:CLAIM",
        "key:HEADER",
        "readme_key:HEADER",
        "client_address",
        "package.module:function",
    ):
        assert word in str(caught.value)
    assert repr(spec.strip(" ,").strip()) in str(caught.value) or "''" in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "apimetrics_no_such_module:f",
        "apimetrics_hooks_sample:absent",
        "apimetrics_hooks_broken:f",
        "a b:c",
        "..:x",
        "apimetrics_hooks_sample:number",
        "apimetrics_hooks_sample:Identify",
    ],
)
def test_a_path_that_gives_no_hook_is_refused_with_its_name(hooks_module, path):
    with pytest.raises(SpecError) as caught:
        identify_by(path)
    assert repr(path) in str(caught.value)
    assert "import path" in str(caught.value)


def test_a_header_that_carries_a_secret_is_refused():
    with pytest.raises(SpecError, match="key:authorization"):
        identify_by("header:authorization")
