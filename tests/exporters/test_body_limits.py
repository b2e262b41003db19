"""How much of a body each reader gets: spans, and each exporter, through a real app."""

import gzip
import json
import random
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_apimetrics import ApiMetricsASGIMiddleware, ApiMetricsWSGIMiddleware
from otel_apimetrics.content import buffer
from otel_apimetrics.exchange import Body, Exchange, Request, Response
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from otel_apimetrics.exporters.needs import MOST_WANTED, Needs
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from otel_apimetrics.shortening import cut, shortened
from tests.exporters.sink import Reply
from tests.in_process import make_environ, make_scope, request_messages, serve_asgi, serve_wsgi
from tests.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("quick")
TEXT = {"Content-Type": "text/plain"}
DEFAULT = 16_384
TOKEN = "ghp_" + "a1B2" * 9
WORDS = "a line of words\n" * 20_000
MEBIBYTE = 1024 * 1024


class Keeping:
    """An exporter of somebody else's that says how much it wants, or nothing."""

    def __init__(self, most: int | None = None) -> None:
        self.needs = Needs(bodies=True, max_body_size=most)
        self.exchanges: list[Exchange] = []

    def export(self, spans):
        raise AssertionError("the door for exchanges is there")

    def export_exchanges(self, exchanges, patience) -> bool:
        self.exchanges += exchanges
        return True

    @property
    def said(self) -> Body:
        (exchange,) = self.exchanges
        return exchange.response.body


def serve(telemetry: Telemetry, said: bytes, *exporters, headers=TEXT, asked=b"", **options):
    """Have a real app answer once, and hand on to the exporters."""

    def app(environ, start_response):
        environ["wsgi.input"].read()
        start_response("200 OK", list(headers.items()))
        return [said[at : at + 10_000] for at in range(0, len(said), 10_000)]

    served = ApiMetricsWSGIMiddleware(
        app, exporters=list(exporters), **telemetry.providers, **options
    )
    serve_wsgi(served, make_environ("POST", body=asked, headers=headers))
    for outlet in served._pipeline.outlets:
        assert outlet.flush(20)
    return telemetry.server_span.attributes


@pytest.fixture
def moesif(backend):
    backend.otherwise = Reply(201)
    return MoesifSpanExporter(
        application_id="app", base_uri=backend.url, dynamic_sampling=False, timeout=20
    )


def events(backend) -> list[dict]:
    return [event for r in backend.received if r.path == "/v1/events/batch" for event in r.json]


def test_a_vendor_gets_what_its_sdk_would_send_and_the_span_what_it_has_without_it(
    telemetry, backend, moesif
):
    said = WORDS[:60_000]
    attributes = serve(telemetry, said.encode(), moesif, asked=WORDS[:50_000].encode())

    (event,) = events(backend)
    assert b64decode(event["response"]["body"]).decode() == said
    assert b64decode(event["request"]["body"]).decode() == WORDS[:50_000]
    assert attributes["http.response.body.content"] == said[:DEFAULT]
    assert attributes["apimetrics.response.body.truncated"] is True
    assert attributes["http.request.body.content"] == said[:DEFAULT]
    assert attributes["http.response.body.size"] == 60_000


def test_each_exporter_gets_at_most_its_own_limit(telemetry, backend, moesif):
    metlo = MetloSpanExporter(host=backend.url, api_key="metlo.key")
    few, silent, greedy = Keeping(100), Keeping(), Keeping(10 * MEBIBYTE)
    exporters = (moesif, metlo, few, silent, greedy)
    attributes = serve(telemetry, WORDS.encode(), *exporters)

    (event,) = events(backend)
    assert b64decode(event["response"]["body"]).decode() == WORDS[:100_000] + "[TRUNCATED]"
    (batch,) = [r.json for r in backend.received if r.path == "/api/v1/log-request/batch"]
    assert batch[0]["response"]["body"] == WORDS[:65_536] + "[TRUNCATED]"
    assert few.said == Body(content=WORDS[:100], size=len(WORDS), truncated=True)
    assert silent.said == Body(content=WORDS[:DEFAULT], size=len(WORDS), truncated=True)
    assert greedy.said == Body(content=WORDS[:MOST_WANTED], size=len(WORDS), truncated=True)
    assert attributes["http.response.body.content"] == WORDS[:DEFAULT]


def test_readme_gets_bodies_of_256_kib_whole_and_longer_ones_as_text_that_is_cut(
    telemetry, backend
):
    readme = ReadMeSpanExporter(api_key="key", url=backend.url, anonymous="somebody")
    members = {f"member {number}": "x" * 1_000 for number in range(400)}
    whole = json.dumps({name: members[name] for name in list(members)[:200]})
    headers = {"Content-Type": "application/json"}
    serve(telemetry, json.dumps(members).encode(), readme, headers=headers, asked=whole.encode())

    (log,) = [each for r in backend.received if r.path == "/v1/request" for each in r.json]
    entry = log["request"]["log"]["entries"][0]
    assert entry["request"]["postData"] == {"mimeType": "application/json", "text": whole}
    content = entry["response"]["content"]
    assert content["mimeType"] == "text/plain"
    assert content["text"] == json.dumps(members)[:MOST_WANTED] + "[TRUNCATED]"


def test_readme_gets_less_where_its_user_says_so_by_either_door(telemetry, backend):
    readme = ReadMeSpanExporter(
        api_key="key", url=backend.url, anonymous="somebody", max_body_size="20k"
    )
    serve(telemetry, WORDS.encode(), readme)
    spans = Telemetry()
    serve(spans, WORDS.encode(), Keeping(), capture_body="all", max_body_size="64k")
    readme.export(spans.spans)

    logs = [each for r in backend.received if r.path == "/v1/request" for each in r.json]
    entries = [log["request"]["log"]["entries"][0] for log in logs]
    assert [entry["response"]["content"]["text"] for entry in entries] == [
        WORDS[: 20 * 1_024] + "[TRUNCATED]"
    ] * 2


def test_json_that_is_whole_for_one_exporter_and_cut_for_another_is_broken_for_none(
    telemetry, backend, moesif
):
    document = json.dumps({f"member {number}": "x" * 500 for number in range(80)})
    headers = {"Content-Type": "application/json"}
    attributes = serve(telemetry, document.encode(), moesif, headers=headers)
    smaller = MoesifSpanExporter(
        application_id="app", base_uri=backend.url, dynamic_sampling=False, max_body_size=20_000
    )
    serve(Telemetry(), document.encode(), smaller, headers=headers)

    whole, shortened_one = (event["response"] for event in events(backend))
    assert whole["body"] == json.loads(document)
    assert shortened_one["transfer_encoding"] == "base64"
    assert b64decode(shortened_one["body"]).decode() == document[:20_000] + "[TRUNCATED]"
    assert attributes["http.response.body.content"] == document[:DEFAULT]
    assert attributes["apimetrics.response.body.truncated"] is True


@pytest.mark.parametrize("place", ["code", "environment"])
def test_what_the_user_says_is_the_most_for_all(telemetry, monkeypatch, place):
    options = {"max_body_size": "2k"} if place == "code" else {}
    if place == "environment":
        monkeypatch.setenv("OTEL_APIMETRICS_MAX_BODY_SIZE", "2k")
    few, silent, greedy = Keeping(100), Keeping(), Keeping(100_000)
    attributes = serve(telemetry, WORDS.encode(), few, silent, greedy, **options)
    shown = [few.said.content, silent.said.content, greedy.said.content]
    assert shown == [WORDS[:100], WORDS[:2_048], WORDS[:2_048]]
    assert attributes["http.response.body.content"] == WORDS[:2_048]


def test_more_than_64_kib_that_the_user_allows_goes_only_to_who_wants_it(telemetry):
    silent, greedy = Keeping(), Keeping(200_000)
    attributes = serve(telemetry, WORDS.encode(), silent, greedy, max_body_size=MEBIBYTE)
    shown = [silent.said.content, greedy.said.content]
    assert shown == [WORDS[:65_536], WORDS[:200_000]]
    assert attributes["http.response.body.content"] == WORDS[:65_536]


def test_no_body_is_captured_for_an_exporter_where_the_user_wants_none(telemetry):
    greedy = Keeping(100_000)
    attributes = serve(telemetry, WORDS.encode(), greedy, capture_body="off")
    assert greedy.said == Body(size=len(WORDS))
    assert "http.response.body.content" not in attributes


@pytest.mark.parametrize("exporters", [(), (Keeping(),), (Keeping(1_000),)])
def test_nothing_more_is_kept_where_no_exporter_wants_more(exporters):
    served = ApiMetricsWSGIMiddleware(lambda *_: [], exporters=list(exporters), capture_body="all")
    assert served._pipeline.kept_bytes == served._pipeline.kept_request_bytes == DEFAULT
    assert served._pipeline.text_bytes == 65_536


@pytest.mark.parametrize("before", range(0, 60, 4))
@pytest.mark.parametrize("mask", ["mask", "hash"])
def test_a_secret_across_a_limit_leaves_neither_a_half_of_itself_nor_of_its_mark(
    telemetry, before, mask
):
    start = "x" * (DEFAULT - before) + "\n"
    said = f"{start}{TOKEN}\n" + WORDS[:30_000]
    greedy, span_like = Keeping(100_000), Keeping()
    attributes = serve(
        telemetry, said.encode(), greedy, span_like,
        redaction={"mask": mask, **({"key": "k" * 32} if mask == "hash" else {})},
    )  # fmt: skip
    shown = attributes["http.response.body.content"]
    assert shown == span_like.said.content
    assert len(shown) <= DEFAULT
    assert "ghp_" not in greedy.said.content + shown
    rest = shown[len(start) :]
    mark = greedy.said.content[len(start) :].partition("\n")[0]
    assert mark.startswith("[REDACTED")
    assert mark.endswith("]")
    assert rest == "" or rest.startswith(mark)


def test_what_a_small_body_inflates_to_is_on_the_span_as_without_an_exporter(telemetry):
    text = "".join(random.Random(1).choices("klmnopqr \n", k=30_000))
    said = gzip.compress(text.encode())
    assert len(said) < DEFAULT < len(text)
    headers = {**TEXT, "Content-Encoding": "gzip"}
    alone = serve(Telemetry(), said, headers=headers, capture_body="all")
    beside = serve(telemetry, said, Keeping(100_000), headers=headers)
    assert alone["http.response.body.content"] == text
    assert beside["http.response.body.content"] == text
    assert "apimetrics.response.body.truncated" not in beside


def test_an_exporter_that_wants_more_gets_it_of_a_request_in_asgi_too(telemetry):
    greedy = Keeping(100_000)

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    served = ApiMetricsASGIMiddleware(app, exporters=[greedy], **telemetry.providers)
    scope = make_scope("POST", headers=[(b"content-type", b"text/plain")])
    chunks = [WORDS[at : at + 25_000].encode() for at in (0, 25_000)]
    serve_asgi(served, scope, request_messages(*chunks))
    assert served._pipeline.outlets[0].flush(20)
    assert greedy.exchanges[0].request.body.content == WORDS[:50_000]
    assert telemetry.server_span.attributes["http.request.body.content"] == WORDS[:DEFAULT]


def test_the_bound_of_all_bodies_in_flight_holds_for_those_that_exporters_want(
    telemetry, monkeypatch
):
    monkeypatch.setattr(buffer, "MOST_IN_FLIGHT", 50_000)
    greedy = Keeping(100_000)
    serve(telemetry, WORDS[:60_000].encode(), greedy)
    assert greedy.said == Body(size=60_000, truncated=True)
    assert buffer.in_flight() == 0


def test_a_foreign_span_exporter_gets_what_is_on_spans(telemetry):
    exporter = InMemorySpanExporter()
    serve(telemetry, WORDS.encode(), exporter, Keeping(100_000))
    (span,) = exporter.get_finished_spans()
    assert span.attributes["http.response.body.content"] == WORDS[:DEFAULT]


@given(st.text(st.characters(), max_size=40), st.integers(0, 50))
def test_a_cut_is_between_characters_and_within_the_limit(text, most):
    body = Body(content=text, size=1_000)
    shown = cut(body, most)
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) <= most:
        assert shown is body
        return
    assert shown.truncated
    assert text.startswith(shown.content)
    assert len(shown.content.encode("utf-8", "surrogatepass")) <= most
    one_more = text[: len(shown.content) + 1].encode("utf-8", "surrogatepass")
    assert len(one_more) > most


def test_an_exchange_without_longer_bodies_is_the_same_object():
    request = Request(method="GET", body=Body(content="short", size=5))
    exchange = Exchange(id="0" * 32, request=request)
    assert shortened(exchange, 5) is exchange
    assert shortened(exchange, 100) is exchange


@pytest.mark.swallows_errors
def test_a_body_that_cannot_be_cut_is_left_out_with_the_other_one(no_swallowed_errors):
    request = Request(method="GET", body=Body(content="short", size=5))
    response = Response(status=200, body=Body(content=7))
    shown = shortened(Exchange(id="0" * 32, request=request, response=response), 100)
    assert (shown.request.body.content, shown.response.body.content) == (None, None)
    assert [place for place, _ in no_swallowed_errors] == ["shortening"]
