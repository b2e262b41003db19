import pytest

from otel_apimetrics.cli.errors import UsageError
from otel_apimetrics.cli.kinds import WORDS, is_url, kind_of

HAR = '{"log": {"entries": []}}'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (HAR, "har"),
        ('{"log": {"entries": 1}}', "json"),
        ('{"log": 1, "entries": 2}', "json"),
        ('["entries"]', "json"),
        ('{"log": {"entries": [', "json"),
        ('\ufeff {"a": 1}', "json"),
        ('[1, {"a"', "json"),
        ('{"a": 1}\n{"b": 2}\n', "ndjson"),
        ('{"a": 1,\n"b": 2}\n', "json"),
        ("{\n{\n", "json"),
        ("<!DOCTYPE html><p>", "html"),
        ("<?xml version='1.0'?><a/>", "xml"),
        ('--x y\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', "multipart"),
        ("event: x\ndata: 1\n\n", "sse"),
        ("data: 1\n\n", "sse"),
        ("GET /x HTTP/1.1\nHost: a", "headers"),
        ("HTTP/2 200", "headers"),
        ("Host: a\nAccept: b", "headers"),
        (":method: GET\n:path: /x", "headers"),
        ("error: it failed", "text"),
        ("https://x.de/?a=1", "query"),
        ("?a=1&b=2", "query"),
        ("a=1&b=2\n", "form"),
        ("password=hunter2", "form"),
        ("password = hunter2", "text"),
        ("just words", "text"),
        ("", "text"),
    ],
)
def test_a_text_is_read_by_what_it_looks_like(text, word):
    kind = kind_of(None, "-", text)
    assert kind.word == word
    assert kind.source == "by its content"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a.json", "json"),
        ("a.HAR", "har"),
        ("a.jsonl", "ndjson"),
        ("a.log", "text"),
        ("a.http", "headers"),
    ],
)
def test_a_file_is_read_by_its_name(name, word):
    kind = kind_of(None, f"/tmp/{name}", "just words")
    assert (kind.word, kind.source) == (word, "by its name")


def test_an_archive_may_have_the_name_of_a_json_file():
    assert kind_of(None, "recording.json", HAR).word == "har"


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_a_type(word):
    assert kind_of(word.upper(), "a.json", "x").word == word


@pytest.mark.parametrize(
    ("given", "word", "content_type"),
    [
        ("application/json; charset=utf-8", "json", "application/json"),
        ("application/problem+json", "body", "application/problem+json"),
        ("application/x-www-form-urlencoded", "form", "application/x-www-form-urlencoded"),
        ('multipart/form-data; boundary="b c"', "multipart", 'multipart/form-data; boundary="b c"'),
        ("multipart/form-data", "multipart", "multipart/form-data"),
    ],
)
def test_a_media_type_is_a_type(given, word, content_type):
    kind = kind_of(given, "-", "x")
    assert (kind.word, kind.content_type) == (word, content_type)


def test_the_boundary_of_parts_is_in_their_first_line():
    text = '--x y\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x y--\r\n'
    assert kind_of("multipart", "-", text).content_type == 'multipart/form-data; boundary="x y"'


@pytest.mark.parametrize(
    ("given", "is_json"), [("json", True), ("application/hal+json", True), ("ndjson", False)]
)
def test_one_document_of_json_is_told_from_other_types(given, is_json):
    assert kind_of(given, "-", "").is_json == is_json


def test_an_unknown_type_is_refused_with_all_that_are_known():
    with pytest.raises(
        UsageError, match=r"--type 'yaml' is not known: use json, har, .*media type"
    ):
        kind_of("yaml", "-", "")


def test_a_url_has_a_scheme_and_no_blank():
    assert is_url("https://x.de/?a=1")
    assert not is_url("see https://x.de")
