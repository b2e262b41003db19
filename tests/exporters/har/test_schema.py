"""The check of a HAR refuses what is none."""

import json
from typing import Any

import pytest
from jsonschema import ValidationError

from otel_apimetrics.exchange import Body, Exchange, Request, Response
from otel_apimetrics.exporters.har import HarFileExporter
from tests.exporters.har.schema import check_har

FORM = (("content-type", "application/x-www-form-urlencoded"), ("cookie", "a=b"))


@pytest.fixture
def document(tmp_path) -> Any:
    path = tmp_path / "api.har"
    request = Request(
        method="POST", host="h", query="q=1", headers=FORM, body=Body(content="a=1", size=3)
    )
    HarFileExporter(path=path).export_exchanges(
        [Exchange(id="1", request=request, response=Response(status=200))]
    )
    return json.loads(path.read_bytes())


def test_it_takes_what_is_written(document):
    check_har(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", {"creator": {}}),
        ("version", 1.2),
        ("creator.name", None),
        ("entries.0.startedDateTime", "yesterday"),
        ("entries.0.startedDateTime", "2026-02-30T00:00:00Z"),
        ("entries.0.time", "1"),
        ("entries.0.time", -1),
        ("entries.0.cache", []),
        ("entries.0.timings.wait", None),
        ("entries.0.request.url", "/no/host"),
        ("entries.0.request.url", "http://h/a b"),
        ("entries.0.request.headers.0.value", 7),
        ("entries.0.request.cookies.0.name", None),
        ("entries.0.request.queryString.0", "q=1"),
        ("entries.0.request.postData.mimeType", None),
        ("entries.0.request.postData.params.0.name", 7),
        ("entries.0.request.postData.text", "a=1"),
        ("entries.0.request.bodySize", 1.5),
        ("entries.0.response.status", "200"),
        ("entries.0.response.content", {}),
        ("entries.0.response.redirectURL", None),
    ],
)
def test_it_refuses_a_document_with_a_fault(document, path, value):
    place: Any = document
    *steps, last = ["log", *filter(None, path.split("."))]
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    with pytest.raises((ValidationError, AssertionError)):
        check_har(document)


@pytest.mark.parametrize("part", ["request", "response", "timings", "cache", "startedDateTime"])
def test_it_refuses_an_entry_that_lacks_a_part(document, part):
    del document["log"]["entries"][0][part]
    with pytest.raises(ValidationError, match=part):
        check_har(document)
