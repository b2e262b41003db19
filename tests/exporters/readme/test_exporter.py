"""What ReadMe's server is sent, and when not."""

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import ConfigError, Consumer, health
from otel_apimetrics.exchange import Body, Exchange, Request, Response, WebSocket, evolve
from otel_apimetrics.exporters.needs import Needs
from otel_apimetrics.exporters.readme import ReadMeSpanExporter, mask_key
from otel_apimetrics.exporters.readme.by_name import ReadMeByName
from otel_apimetrics.exporters.spans import as_span
from tests.exporters.har.schema import check_har
from tests.exporters.sink import Reply

pytestmark = pytest.mark.usefixtures("quick")

KEY = "rdme_testkey123"


def exchange(number: int = 1, **changes: object) -> Exchange:
    request = Request(
        method="GET",
        host="api.example.com",
        port=8000,
        path=f"/items/{number}",
        route="/items/{item}",
        headers=(("host", "api.example.com:8000"),),
    )
    made = Exchange(
        id=f"{number:032x}",
        request=request,
        response=Response(status=200, body=Body(content="{}", size=2)),
        consumer=Consumer(id="deadbeef"),
        trace_id=7,
        span_id=8,
    )
    return evolve(made, **changes)


def with_request(**changes: object) -> Exchange:
    made = exchange()
    return evolve(made, request=evolve(made.request, **changes))


@pytest.fixture
def make(backend):
    return lambda **options: ReadMeSpanExporter(**{"api_key": KEY, "url": backend.url, **options})


def logs(backend) -> list[dict]:
    return [log for received in backend.received for log in received.json]


def test_a_log_goes_to_the_address_and_with_the_credentials_of_the_protocol(backend, make):
    assert make().export_exchanges([exchange()])
    (received,) = backend.received
    assert (received.method, received.path) == ("POST", "/v1/request")
    assert received.headers["authorization"] == "Basic cmRtZV90ZXN0a2V5MTIzOg=="
    assert received.headers["content-type"] == "application/json"
    assert "content-encoding" not in received.headers
    (log,) = received.json
    assert log.keys() == {"_id", "group", "clientIPAddress", "development", "request"}
    assert log["development"] is False
    check_har(log["request"])


def test_both_doors_send_the_same_bytes(backend, make):
    exporter = make()
    assert exporter.export_exchanges([exchange()])
    assert exporter.export([as_span(exchange(), Resource({}))]) is SpanExportResult.SUCCESS
    first, second = backend.received
    assert first.raw == second.raw
    assert health.counts("sent") == {("readme", ""): 2}


def test_the_id_of_a_log_is_a_uuid_and_stays_when_it_is_sent_again(backend, make):
    backend.planned.append(Reply(503))
    assert make().export_exchanges([exchange(0xFFFF)])
    first, second = backend.received
    assert first.raw == second.raw
    assert first.json[0]["_id"] == "00000000-0000-4000-8000-00000000ffff"


def test_an_id_that_is_no_uuid_has_one_of_its_own(backend, make):
    assert make().export_exchanges([exchange(id="request-7"), exchange(id="request-7")])
    first, second = logs(backend)
    assert first["_id"] == second["_id"]
    assert len(first["_id"]) == 36


@pytest.mark.parametrize(
    ("key", "masked"),
    [
        (
            "owlbert-api-key",
            "sha512-u2GbQ83jIqNa+a8v110+8IDztQQr4joL1xSE+wFH51zSOA1qQKPwOC8t2n2LWJQA1mX4ZLZ45SEokITzLed/ow==?-key",
        ),
        (
            "",
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==?",
        ),
    ],
)
def test_a_key_is_named_by_its_digest_and_its_end(key, masked):
    assert mask_key(key) == masked
    assert mask_key(masked) == masked


def test_a_group_is_the_consumer_and_its_masked_key_is_not_masked_twice(backend, make):
    masked = mask_key("the-key-of-ada")
    consumers = [
        Consumer(id="deadbeef"),
        Consumer(id="deadbeef", name="Ada", email="ada@example.com", group="gold"),
        Consumer(id=masked),
    ]
    assert make().export_exchanges([exchange(consumer=consumer) for consumer in consumers])
    assert [log["group"] for log in logs(backend)] == [
        {"id": mask_key("deadbeef")},
        {"id": mask_key("deadbeef"), "label": "Ada", "email": "ada@example.com"},
        {"id": masked},
    ]


def test_what_their_sdk_does_not_log_is_left_out_and_no_loss(backend, make):
    others = [
        with_request(method="OPTIONS"),
        exchange(direction="outgoing"),
        exchange(websocket=WebSocket()),
    ]
    assert make().export_exchanges(others)
    assert backend.received == []
    assert health.counts("dropped") == {}


def test_a_request_without_a_consumer_is_left_out_with_one_warning(backend, make, caplog):
    exporter = make()
    assert exporter.export_exchanges([exchange(1, consumer=None), exchange(2, consumer=None)])
    assert backend.received == []
    assert caplog.text.count("leaves out requests without a consumer") == 1


def test_a_request_without_a_consumer_may_have_a_name_given(backend, make):
    assert make(anonymous="nobody").export_exchanges([exchange(consumer=None)])
    assert logs(backend)[0]["group"] == {"id": mask_key("nobody")}


@pytest.mark.parametrize(
    ("hosts", "sent"),
    [
        (["api.example.com:8000"], True),
        ("other.example.com, API.EXAMPLE.COM:8000", True),
        (["api.example.com"], False),
        ([], True),
    ],
)
def test_hosts_are_compared_whole_with_the_host_header(backend, make, hosts, sent):
    exporter = make(allowed_http_hosts=hosts)
    without_header = with_request(headers=())
    exporter.export_exchanges([exchange(), without_header])
    assert len(logs(backend)) == (2 if sent else 0)


def test_a_request_holds_as_many_logs_as_the_buffer_is_long(backend, make):
    make(buffer_length="3").export_exchanges([exchange(number) for number in range(7)])
    make().export_exchanges([exchange(number) for number in range(31)])
    assert [len(received.json) for received in backend.received] == [3, 3, 1, 30, 1]


@pytest.mark.parametrize(
    ("environment", "given", "development"),
    [
        ("", None, False),
        ("Production", None, False),
        ("staging", None, True),
        ("production", True, True),
        ("staging", False, False),
    ],
)
def test_the_environment_says_whether_a_log_is_of_development(
    backend, make, monkeypatch, environment, given, development
):
    monkeypatch.setenv("OTEL_APIMETRICS_ENVIRONMENT", environment)
    make(development_mode=given).export_exchanges([exchange()])
    assert logs(backend)[0]["development"] is development


def test_their_variable_for_the_server_is_understood(backend, monkeypatch):
    monkeypatch.setenv("README_METRICS_SERVER", backend.url + "/prefix/")
    assert ReadMeSpanExporter(api_key=KEY).export_exchanges([exchange()])
    assert backend.received[0].path == "/prefix/v1/request"


def test_a_log_says_what_was_not_captured_where_the_dashboard_shows_it(backend, make):
    picture = (("content-type", "image/png"),)
    json_type = (("content-type", "application/json"),)
    make().export_exchanges(
        [
            exchange(response=Response(status=200, headers=picture, body=Body(size=9))),
            exchange(response=Response(status=200, headers=json_type, body=Body(size=9))),
            exchange(
                response=Response(
                    status=200,
                    headers=json_type,
                    body=Body(content='{"a": [', size=9, truncated=True),
                )
            ),
            exchange(response=Response(status=204, body=Body(size=0))),
        ]
    )
    contents = [log["request"]["log"]["entries"][0]["response"]["content"] for log in logs(backend)]
    assert [(content["text"], content["mimeType"]) for content in contents] == [
        ("[NOT VALID UTF-8]", "image/png"),
        ("[NOT RECORDED]", "application/json"),
        ('{"a": [[TRUNCATED]', "text/plain"),
        ("", ""),
    ]


def test_a_file_of_a_form_is_in_the_form_that_they_take(backend, make):
    content = (
        '------b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        '------b\r\nContent-Disposition: form-data; name="file"; filename="pic.png"\r\n'
        "Content-Type: image/png\r\n\r\n<file image/png 12 B>\r\n------b--\r\n"
    )
    content_type = "multipart/form-data; boundary=----b"
    make().export_exchanges(
        [
            with_request(
                method="POST",
                headers=(("content-type", content_type),),
                body=Body(content=content, size=len(content)),
            )
        ]
    )
    post_data = logs(backend)[0]["request"]["log"]["entries"][0]["request"]["postData"]
    assert post_data == {
        "mimeType": content_type,
        "params": [
            {"name": "note", "value": "hello"},
            {
                "name": "file",
                "value": "data:image/png;name=pic.png;base64,PGZpbGUgaW1hZ2UvcG5nIDEyIEI+",
                "fileName": "pic.png",
                "contentType": "image/png",
            },
        ],
    }


def test_an_authorization_that_redaction_leaves_is_masked(backend, make):
    headers = (("authorization", "Bearer abcdefgh1234"), ("authorization", "Bearer [REDACTED]"))
    make().export_exchanges([with_request(headers=headers)])
    entry = logs(backend)[0]["request"]["log"]["entries"][0]
    assert [header["value"] for header in entry["request"]["headers"]] == [
        mask_key("Bearer abcdefgh1234"),
        "Bearer [REDACTED]",
    ]


def test_a_refused_key_is_one_line_with_the_remedy(backend, make, caplog):
    backend.otherwise = Reply(401)
    exporter = make()
    assert not exporter.export_exchanges([exchange()])
    assert not exporter.export_exchanges([exchange()])
    assert caplog.text.count("OTEL_EXPORTER_README_API_KEY is wrong: copy your project's key") == 1
    assert health.counts("failed")["readme", "refused"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "The exporter readme needs api_key: set OTEL_EXPORTER_README_API_KEY."),
        ({"api_key": KEY, "buffer_lenght": 1}, "Unknown option buffer_lenght: did you mean"),
        ({"api_key": KEY, "buffer_length": 0}, "buffer_length=0 is not accepted: use a whole"),
        ({"api_key": KEY, "timeout": "soon"}, "timeout='soon' is not accepted: use seconds"),
        ({"api_key": KEY, "denylist": [7]}, "denylist=7 is not accepted: use strings"),
        ({"api_key": KEY, "denylist": ["user*"]}, "denylist is not accepted: use names, or dotted"),
        ({"api_key": KEY, "url": "metrics.readme.io"}, "url is not accepted: use a URL"),
        ({"api_key": "k 1"}, "api_key is not accepted: use the key as the vendor shows it"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_the_remedy(options, message):
    with pytest.raises(ConfigError) as raised:
        ReadMeSpanExporter(**options)
    assert message in str(raised.value)


def test_made_by_name_it_takes_the_environment_or_is_off(backend, monkeypatch, caplog):
    off = ReadMeByName()
    assert off.disabled
    assert "The exporter readme is off. The exporter readme needs api_key" in caplog.text
    monkeypatch.setenv("OTEL_EXPORTER_README_API_KEY", KEY)
    monkeypatch.setenv("OTEL_EXPORTER_README_URL", backend.url)
    monkeypatch.setenv("OTEL_EXPORTER_README_DENYLIST", "host")
    exporter = ReadMeByName()
    assert exporter.needs == Needs(bodies=True, headers=True, max_body_size=256 * 1024)
    assert exporter.export_exchanges([exchange()])
    entry = logs(backend)[0]["request"]["log"]["entries"][0]
    assert entry["request"]["headers"] == [{"name": "host", "value": "[REDACTED 20]"}]


def test_logs_that_cannot_be_delivered_wait_on_the_disk_without_the_key(
    backend, make, tmp_path, monkeypatch
):
    from otel_apimetrics.exporters import courier

    monkeypatch.setattr(courier, "SPOOL_AFTER", 0.1)
    backend.otherwise = Reply(503)
    assert not make(spool=str(tmp_path)).export_exchanges([exchange(1)])
    (file,) = tmp_path.iterdir()
    assert KEY.encode() not in file.read_bytes()
    backend.otherwise = Reply(202)
    assert make(spool=tmp_path).export_exchanges([exchange(2)])
    taken = [received for received in backend.received if received.status == 202]
    assert {log["_id"][-1] for received in taken for log in received.json} == {"1", "2"}


def test_halves_of_surrogate_pairs_leave_a_log_that_can_be_read(backend, make):
    assert make().export_exchanges([with_request(path="/\ud800", query="a=\ud800")])
    (log,) = logs(backend)
    check_har(log["request"])
