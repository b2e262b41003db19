"""One exchange as an entry of a HAR, whatever the exchange holds."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.exchange import Body, Exchange, Request, Response
from otel_apimetrics.exporters.har.entry import entry_of
from otel_apimetrics.exporters.json_bytes import json_bytes
from tests.exporters.har.schema import check_entry

MULTIPART = "multipart/form-data; boundary=----b"


def exchange(request: Request, response: Response | None = None) -> Exchange:
    return Exchange(id="0" * 32, request=request, response=response, started_ns=0)


def post(content: str | None, content_type: str, **body: object) -> Request:
    return Request(
        method="POST",
        host="api.example.com",
        headers=(("content-type", content_type),),
        body=Body(content=content, size=len(content or "x"), **body),
    )


def test_an_entry_says_when_how_long_what_and_with_which_outcome():
    request = Request(
        method="GET",
        scheme="https",
        host="api.example.com",
        port=8443,
        path="/items/7",
        query="x=1&x=2&q=a%20b&empty=&arr%5B1%5D=3",
        http_version="2",
        headers=(("accept", "*/*"), ("cookie", "theme=dark; lang=en")),
        body=Body(size=0),
    )
    response = Response(
        status=404,
        headers=(
            ("content-type", "application/json"),
            ("set-cookie", "theme=dark; Path=/; HttpOnly; Secure; Max-Age=3"),
        ),
        body=Body(content="{}", size=2),
    )
    told = Exchange(
        id="0" * 32,
        request=request,
        response=response,
        started_ns=1_795_271_754_025_000_000,
        duration_ns=1_234_567,
    )

    entry = entry_of(told)

    check_entry(entry)
    assert entry == {
        "startedDateTime": "2026-11-21T14:35:54.025Z",
        "time": 1.235,
        "request": {
            "method": "GET",
            "url": "https://api.example.com:8443/items/7?x=1&x=2&q=a%20b&empty=&arr%5B1%5D=3",
            "httpVersion": "HTTP/2",
            "headers": [
                {"name": "accept", "value": "*/*"},
                {"name": "cookie", "value": "theme=dark; lang=en"},
            ],
            "headersSize": -1,
            "queryString": [
                {"name": "x", "value": "1"},
                {"name": "x", "value": "2"},
                {"name": "q", "value": "a b"},
                {"name": "empty", "value": ""},
                {"name": "arr[1]", "value": "3"},
            ],
            "cookies": [{"name": "theme", "value": "dark"}, {"name": "lang", "value": "en"}],
            "bodySize": 0,
        },
        "response": {
            "status": 404,
            "statusText": "Not Found",
            "httpVersion": "HTTP/2",
            "headers": [
                {"name": "content-type", "value": "application/json"},
                {"name": "set-cookie", "value": "theme=dark; Path=/; HttpOnly; Secure; Max-Age=3"},
            ],
            "headersSize": -1,
            "cookies": [
                {"name": "theme", "value": "dark", "path": "/", "httpOnly": True, "secure": True}
            ],
            "redirectURL": "",
            "bodySize": 2,
            "content": {"mimeType": "application/json", "text": "{}", "size": 2},
        },
        "cache": {},
        "timings": {"send": 0, "wait": 1.235, "receive": 0},
    }


@pytest.mark.parametrize(
    ("request_", "url"),
    [
        (Request(method="GET", host="h", port=80), "http://h/"),
        (Request(method="GET", scheme="https", host="h", port=443), "https://h/"),
        (Request(method="GET", scheme="https", host="h", port=80), "https://h:80/"),
        (Request(method="GET", host="::1", port=8000), "http://[::1]:8000/"),
        (Request(method="GET", host="[fe80::1%eth0]"), "http://[fe80::1]/"),
        (Request(method="GET", host="", local_address="10.0.0.7", port=81), "http://10.0.0.7:81/"),
        (Request(method="GET", host=""), "http://localhost/"),
        (Request(method="OPTIONS", host="h", path="*"), "http://h/*"),
        (
            Request(method="GET", host="h", path="/a b/é/%C3%A9/50%"),
            "http://h/a%20b/%C3%A9/%C3%A9/50%25",
        ),
        (
            Request(method="GET", host="h", query="p=[REDACTED]&a[]=ü"),
            "http://h/?p=%5BREDACTED%5D&a%5B%5D=%C3%BC",
        ),
        (Request(method="GET", host='a"b'), "http://a%22b/"),
    ],
)
def test_a_url_is_one_that_any_reader_takes(request_, url):
    entry = entry_of(exchange(request_))
    check_entry(entry)
    assert entry["request"]["url"] == url


@pytest.mark.parametrize("status", [200, 299, 418, 599, 999])
def test_a_status_has_its_reason_where_it_has_one(status):
    entry = entry_of(exchange(Request(method="GET"), Response(status=status)))
    reasons = {200: "OK", 418: "I'm a Teapot"}
    assert entry["response"]["statusText"] == reasons.get(status, "")


def test_a_response_that_never_started_has_the_status_0():
    entry = entry_of(exchange(Request(method="GET")))
    check_entry(entry)
    assert (entry["response"]["status"], entry["response"]["bodySize"]) == (0, -1)


def test_a_form_is_its_fields_with_repeats_and_empty_values():
    content_type = "application/x-www-form-urlencoded; charset=UTF-8"
    entry = entry_of(
        exchange(post("email=dom%40x.io&password=[REDACTED]&a=1&a=2&e=", content_type))
    )
    check_entry(entry)
    post_data = entry["request"]["postData"]
    assert post_data["mimeType"] == content_type
    assert [(param["name"], param["value"]) for param in post_data["params"]] == [
        ("email", "dom@x.io"),
        ("password", "[REDACTED]"),
        ("a", "1"),
        ("a", "2"),
        ("e", ""),
    ]


def test_a_multipart_form_is_its_fields_and_its_files_without_their_bytes():
    content = (
        '------b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\nworld\r\n'
        '------b\r\nContent-Disposition: form-data; name="file"; filename="a \\"pic\\".png"\r\n'
        "Content-Type: image/png\r\n\r\n<file image/png 12 B>\r\n------b--\r\n"
    )
    entry = entry_of(exchange(post(content, MULTIPART)))
    check_entry(entry)
    assert entry["request"]["postData"] == {
        "mimeType": MULTIPART,
        "params": [
            {"name": "note", "value": "hello\r\nworld"},
            {
                "name": "file",
                "value": "<file image/png 12 B>",
                "fileName": 'a "pic".png',
                "contentType": "image/png",
            },
        ],
    }


@pytest.mark.parametrize("content_type", ["multipart/form-data", MULTIPART])
def test_a_multipart_form_that_cannot_be_read_is_text(content_type):
    entry = entry_of(exchange(post("no parts", content_type)))
    assert entry["request"]["postData"] == {"mimeType": content_type, "text": "no parts"}


def test_a_cut_json_body_is_text_and_marked():
    request = post('{"a": [1, ', "application/json; charset=utf-8", truncated=True)
    response = Response(status=200, headers=request.headers, body=request.body)
    entry = entry_of(exchange(request, response))
    marked = {"mimeType": "text/plain", "text": '{"a": [1, ', "comment": "truncated"}
    assert entry["request"]["postData"] == marked
    assert entry["response"]["content"] == {**marked, "size": 10}


def test_a_body_that_was_not_recorded_says_so():
    entry = entry_of(exchange(post(None, "image/png"), Response(status=200, body=Body(size=7))))
    check_entry(entry)
    assert entry["request"]["postData"] == {"mimeType": "image/png", "comment": "not recorded"}
    assert entry["response"]["content"] == {"mimeType": "", "comment": "not recorded", "size": 7}


def test_the_size_of_coded_content_is_that_of_its_text():
    headers = (("content-encoding", "gzip"), ("content-type", "text/plain"))
    response = Response(status=200, headers=headers, body=Body(content="é" * 100, size=24))
    entry = entry_of(exchange(Request(method="GET"), response))
    assert entry["response"]["bodySize"] == 24
    assert entry["response"]["content"]["size"] == 200


TEXT = st.text(max_size=40)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "cookie", "set-cookie", "location", "content-encoding"]),
        st.one_of(TEXT, st.sampled_from([MULTIPART, "application/json", "a=b; Path=/; Secure"])),
    ),
    max_size=5,
).map(tuple)
BODIES = st.builds(
    Body,
    content=st.none() | TEXT | TEXT.map(lambda text: f"------b\r\n{text}\r\n\r\nx\r\n------b--"),
    size=st.none() | st.integers(0, 10**12),
    truncated=st.booleans(),
)


@given(
    request=st.builds(
        Request,
        method=st.text(string.ascii_uppercase, min_size=1),
        scheme=st.sampled_from(["http", "https"]),
        host=TEXT,
        port=st.none() | st.integers(1, 65535),
        path=TEXT,
        query=TEXT,
        headers=HEADERS,
        body=BODIES,
    ),
    response=st.none()
    | st.builds(Response, status=st.integers(100, 999), headers=HEADERS, body=BODIES),
    started_ns=st.integers(0, 4 * 10**18),
)
def test_every_exchange_is_a_valid_entry(request, response, started_ns):
    told = Exchange(id="0" * 32, request=request, response=response, started_ns=started_ns)
    entry = entry_of(told)
    check_entry(entry)
    json_bytes(entry).decode()
