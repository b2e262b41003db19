"""What holds for every request and response, however they are written and cut."""

import gzip
import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_apimetrics import ApiMetricsWSGIMiddleware
from otel_apimetrics.redaction import RedactionPolicy, Redactor
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

SECRET = "q7Zx9Kd2Lm4Vb8Wt"
NAMES = ["password", "api_key", "accessToken", "X-Session-Id", "ssn", "client secret", "pin2"]
MASKS = ["mask", "remove", "hash", "last4", "tokenise"]

plain = st.one_of(
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["a=b", "{", "12:30", "é\u2028"]),
)
documents = st.recursive(
    st.one_of(plain, st.just({"password": SECRET})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=6), st.sampled_from(["name", "value", "key", "data"])),
            inner,
            max_size=4,
        ),
        st.tuples(st.sampled_from(NAMES), inner).map(lambda pair: {pair[0]: SECRET, "x": pair[1]}),
        st.sampled_from(NAMES).map(lambda name: {"name": name, "value": SECRET}),
        inner.map(json.dumps),
    ),
    max_leaves=14,
)
redactors = st.sampled_from([Redactor(RedactionPolicy(mask=mask, key="k")) for mask in MASKS])


def escaped(text: str) -> str:
    """Spell each letter and digit inside of strings as JSON's escape."""
    return "".join(f"\\u{ord(letter):04x}" if letter.isalnum() else letter for letter in text)


@settings(max_examples=150)
@given(documents, redactors, st.booleans(), st.booleans())
def test_json_stays_json_and_no_denied_value_is_left_and_twice_is_once(
    document, redactor, ascii_only, spaced
):
    text = json.dumps(
        document, ensure_ascii=ascii_only, separators=(", ", ": ") if spaced else (",", ":")
    )
    masked = redactor.body(text, "application/json")
    json.loads(masked)
    assert SECRET not in masked
    assert redactor.body(masked, "application/json") == masked


@settings(max_examples=60)
@given(documents, redactors)
def test_lines_and_events_and_text_lose_the_same(document, redactor):
    text = json.dumps(document)
    for media_type, written in (
        ("application/x-ndjson", f"{text}\n{text}\n"),
        ("text/event-stream", f"event: a\ndata: {text}\n\ndata: {text}\n\n"),
        ("text/plain", f"said {text}."),
    ):
        masked = redactor.body(written, media_type)
        assert SECRET not in masked
        assert redactor.body(masked, media_type) == masked


@pytest.mark.parametrize("name", NAMES)
def test_a_name_and_a_value_that_are_spelt_in_escapes_are_found(name):
    text = f'{{"{escaped(name)}": "{escaped(SECRET)}", "n": "a"}}'
    assert json.loads(text)[name] == SECRET
    shown = Redactor().body(text, "application/json")
    assert SECRET not in str(json.loads(shown))
    query = f"{quote(name, safe='')}={SECRET}".replace("s", "%73").replace("p", "%70")
    assert SECRET not in Redactor().query(query)


CUT_TEXTS = {
    "application/json": json.dumps(
        {
            "a": [1, {"password": SECRET}],
            "list": [{"name": "token", "value": SECRET}],
            "note": f"Bearer {SECRET}",
        }
    ),
    "application/x-www-form-urlencoded": f"a=1&password={SECRET}&b=Bearer+{SECRET}&user%5Bpin%5D={SECRET}",
    "application/x-ndjson": f'{{"a": 1}}\n{{"password": "{SECRET}"}}\n{{"b": "Bearer {SECRET}"}}\n',
    "text/event-stream": f'data: {{"password": "{SECRET}"}}\n\ndata: Bearer {SECRET}\n\n',
    "text/plain": f"it said password={SECRET}, and then Bearer {SECRET}.",
    "application/xml": f"<a><b password='{SECRET}'/><pin>{SECRET}</pin><c>Bearer {SECRET}</c></a>",
    "text/html": f'<p><input name="password" value="{SECRET}"><b>Bearer {SECRET}</b></p>',
    "application/graphql": f'mutation {{ login(password: "{SECRET}", pin: "{SECRET}") {{ id }} }}',
    "multipart/form-data": (
        f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\nBearer {SECRET}\r\n--b--\r\n'
    ),
}


@pytest.mark.parametrize("media_type", CUT_TEXTS)
def test_wherever_a_body_is_cut_not_a_piece_of_a_secret_is_left(media_type):
    text, redactor = CUT_TEXTS[media_type], Redactor()
    pieces = [SECRET[start : start + 5] for start in range(len(SECRET) - 4)]
    content_type = f"{media_type}; boundary=b"
    for end in range(len(text) + 1):
        shown = redactor.body(text[:end], media_type, truncated=True, content_type=content_type)
        assert shown is None or not any(piece in shown for piece in pieces), text[:end]


def echo(environ, start_response):
    """Read the body in pieces, answer it in pieces, in the coding of the request."""
    body, size = b"", int(environ["HTTP_X_SIZE"])
    while chunk := environ["wsgi.input"].read(size):
        body += chunk
    headers = [("Content-Type", environ["CONTENT_TYPE"])]
    if coding := environ.get("HTTP_CONTENT_ENCODING"):
        headers.append(("Content-Encoding", coding))
    start_response("200 OK", headers)
    logging.getLogger("app").info("served")
    return [body[start : start + size] for start in range(0, len(body), size)]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(documents, st.integers(1, 200), st.booleans())
def test_pieces_and_codings_of_a_body_make_no_difference_and_nothing_leaves(
    caplog, document, size, zipped
):
    caplog.set_level(0)
    telemetry = Telemetry()
    app = ApiMetricsWSGIMiddleware(
        echo, **telemetry.providers, capture_body="all", capture_headers="all"
    )
    text = json.dumps({"document": document, "password": SECRET})
    seen = []
    for pieces, coded in ((1 << 20, False), (size, zipped)):
        body = gzip.compress(text.encode()) if coded else text.encode()
        headers = {
            "content-type": "application/json",
            "x-size": str(pieces),
            "authorization": f"Bearer {SECRET}",
        }
        if coded:
            headers["content-encoding"] = "gzip"
        query = f"token={SECRET}"
        served = serve_wsgi(
            app, make_environ("POST", f"/a/{size}", query=query, body=body, headers=headers)
        )
        assert served.body == body
        attributes = telemetry.server_spans[-1].attributes
        seen.append([attributes[f"http.{side}.body.content"] for side in ("request", "response")])
    assert seen[0] == seen[1]
    assert SECRET not in str(seen)
    assert SECRET not in "".join(span.to_json() for span in telemetry.spans)
    assert SECRET not in telemetry.reader.get_metrics_data().to_json()
    assert SECRET not in caplog.text
