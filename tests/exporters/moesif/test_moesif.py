"""The exporter to Moesif: its events, its batches, its sampling, its settings."""

import asyncio
import json
from base64 import b64decode

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_apimetrics import ApiMetricsWSGIMiddleware, _guard, health, skip_request
from otel_apimetrics.config import ConfigError
from otel_apimetrics.exchange import (
    Body,
    Company,
    Consumer,
    Exchange,
    Request,
    Response,
    evolve,
)
from otel_apimetrics.exporters.delivery import DeliveryQueue
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from otel_apimetrics.exporters.moesif.by_name import MoesifByName
from otel_apimetrics.exporters.moesif.documents import configuration
from otel_apimetrics.exporters.moesif.event import event
from otel_apimetrics.exporters.moesif.sampling import Sampling, read_rates
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.sender import Sender
from tests.exporters.sink import Reply
from tests.in_process import make_environ, serve_wsgi
from tests.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("quick")
KEYS = [
    "request", "response", "session_token", "tags", "user_id", "company_id", "metadata",
    "direction", "weight", "blocked_by", "transaction_id",
]  # fmt: skip


def exchange(number: int = 1, **more) -> Exchange:
    request = Request(
        method="POST", scheme="https", host="api.example", port=443, path="/items", query="a=1",
        headers=(("x-a", "1"), ("x-a", "2")), client_address="192.0.2.7",
        body=Body(content=more.pop("asked", None)),
    )  # fmt: skip
    response = Response(status=201, body=more.pop("answered", Body()))
    return Exchange(
        id=f"{number:032x}", request=request, response=response, started_ns=1_795_000_000_123_456_789,
        duration_ns=1_500_000_000, **more,
    )  # fmt: skip


def told(given: Exchange, **options) -> dict:
    return json.loads(event(given, **{"api_version": None, "max_body_size": 1_000, **options}))


@pytest.fixture
def moesif(backend):
    backend.otherwise = Reply(201)
    backend.by_path["/v1/config"] = Reply(200, {"X-Moesif-Config-ETag": "one"}, b"{}")
    return MoesifSpanExporter(application_id="app", base_uri=backend.url, timeout=5)


def configs(backend) -> list:
    return [r for r in backend.received if r.path == "/v1/config"]


def batches(backend) -> list[list[dict]]:
    return [r.json for r in backend.received if r.path == "/v1/events/batch"]


def test_a_skipped_request_is_not_told_through_the_door_for_spans(moesif, backend):
    telemetry = Telemetry()
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(moesif))

    def answer(environ, start_response):
        if environ["PATH_INFO"] == "/skipped":
            skip_request()
        start_response("200 OK", [])
        return [b""]

    app = ApiMetricsWSGIMiddleware(answer, **telemetry.providers)
    for path in ("/skipped", "/told"):
        serve_wsgi(app, make_environ(path=path))
    assert [e["request"]["uri"] for batch in batches(backend) for e in batch] == [
        "http://api.example:8000/told"
    ]


def test_an_event_has_all_members_in_their_order():
    given = exchange(
        consumer=Consumer(id="u1"), company=Company(id="c1"), session="s", metadata={"plan": "pro"}
    )
    one = told(given, api_version="v2")
    assert list(one) == KEYS
    assert one == {
        "request": {
            "time": "2026-11-18T11:06:40.123", "uri": "https://api.example/items?a=1", "verb": "POST",
            "headers": {"x-a": "1, 2"}, "api_version": "v2", "ip_address": "192.0.2.7", "body": None,
            "transfer_encoding": None,
        },
        "response": {
            "time": "2026-11-18T11:06:41.623", "status": 201, "headers": {}, "ip_address": None,
            "body": None, "transfer_encoding": None,
        },
        "session_token": "s", "tags": None, "user_id": "u1", "company_id": "c1",
        "metadata": {"plan": "pro"}, "direction": "Incoming", "weight": 1, "blocked_by": None,
        "transaction_id": "00000000-0000-0000-0000-000000000001",
    }  # fmt: skip


def test_without_an_answer_the_response_is_null_and_outgoing_calls_have_no_client():
    one = told(evolve(exchange(), response=None, direction="outgoing"))
    assert one["response"] is None
    assert (one["direction"], one["request"]["ip_address"]) == ("Outgoing", None)


@pytest.mark.parametrize(
    ("text", "body", "encoding"),
    [
        ('{"a": 1.50}', {"a": 1.5}, "json"),
        (' \n[1, "é"]', [1, "é"], "json"),
        ("\ufeff{}", {}, "json"),
        ("42", "42", "base64"),
        ('{"a": NaN}', '{"a": NaN}', "base64"),
        ('{"a": ', '{"a": ', "base64"),
        ("a=1&b=ü", "a=1&b=ü", "base64"),
        ("", None, None),
    ],
)
def test_objects_and_lists_are_json_and_other_text_is_base64(text, body, encoding):
    asked = told(exchange(asked=text))["request"]
    shown = asked["body"]
    assert asked["transfer_encoding"] == encoding
    assert (b64decode(shown).decode() if encoding == "base64" else shown) == body


def test_a_cut_body_is_text_that_says_so():
    answered = Body(content='{"a": 1}', truncated=True)
    response = told(exchange(answered=answered))["response"]
    assert response["transfer_encoding"] == "base64"
    assert b64decode(response["body"]) == b'{"a": 1}[TRUNCATED]'


def test_a_body_past_its_limit_is_text_that_is_cut_and_a_number_keeps_its_spelling():
    raw = event(
        exchange(
            asked='{"n": 1.000, "m": 12345678901234567890}',
            answered=Body(content="x" + '["é"]' * 500, size=5_000),
        ),
        api_version=None,
        max_body_size=1_000,
    )
    assert b'{"n": 1.000, "m": 12345678901234567890}' in raw
    response = json.loads(raw)["response"]
    assert response["transfer_encoding"] == "base64"
    assert b64decode(response["body"]).decode() == "x" + '["é"]' * 166 + '["' + "[TRUNCATED]"


def test_an_event_stays_below_what_moesif_takes():
    large = exchange(asked="x" * 600_000, answered=Body(content="y" * 600_000))
    raw = event(large, api_version=None, max_body_size=1_000_000)
    assert len(raw) < 1_000_000
    assert "exceeded" in json.loads(raw)["request"]["body"]["msg"]


def test_exchanges_go_out_in_batches_with_gzip_and_the_application_id(backend, moesif):
    assert moesif.export_exchanges([exchange(number) for number in range(150)])

    requests = [r for r in backend.received if r.path == "/v1/events/batch"]
    assert [len(r.json) for r in requests] == [120, 30]
    assert {r.headers["x-moesif-application-id"] for r in requests} == {"app"}
    assert {r.headers["content-encoding"] for r in requests} == {"gzip"}
    assert {r.headers["content-type"] for r in requests} == {"application/json; charset=utf-8"}
    assert health.counts("sent") == {("moesif", ""): 150}


def test_a_repeated_batch_has_the_same_transaction_ids(backend, moesif):
    backend.planned += [Reply(500), Reply(429)]
    moesif.export_exchanges([exchange()])
    first, *others = batches(backend)
    assert len(others) == 2
    assert all(other == first for other in others)


def test_metadata_that_json_cannot_say_becomes_text_and_sinks_no_batch(backend, moesif):
    moesif.export_exchanges([exchange(1, metadata={"at": object}), exchange(2)])
    ((first, _),) = batches(backend)
    assert first["metadata"]["at"] == "<class 'object'>"


def test_what_skip_names_is_left_out(backend):
    exporter = MoesifSpanExporter(
        application_id="app", base_uri=backend.url, skip=lambda one: one.id.endswith("1"),
        dynamic_sampling=False,
    )  # fmt: skip
    assert exporter.export_exchanges([exchange(1), exchange(2)])
    assert [event["transaction_id"][-1] for event in batches(backend)[0]] == ["2"]
    assert [r.path for r in backend.received] == ["/v1/events/batch"]


RATES = {
    "sample_rate": 100,
    "user_sample_rate": {"noisy": 0, "half": 50},
    "company_sample_rate": {"quiet": 0},
    "regex_config": [
        {"conditions": [{"path": "request.route", "value": "^/health"}], "sample_rate": 0},
        {"conditions": [{"path": "unknown", "value": "."}], "sample_rate": 0},
        {"conditions": [{"path": "request.verb", "value": "(a+)+$"}], "sample_rate": 0},
        {"conditions": [{"path": "request.verb", "value": "("}], "sample_rate": 0},
        {
            "conditions": [
                {"path": "response.status", "value": "^5"}, {"path": "request.verb", "value": "POST"},
            ],
            "sample_rate": 100,
        },
    ],
}  # fmt: skip


def test_the_first_rule_counts_then_the_user_then_the_company():
    rates = read_rates(json.dumps(RATES).encode())
    noisy, company = Consumer(id="noisy"), Company(id="quiet")
    healthy = evolve(exchange().request, path="/health/live")
    failed = evolve(exchange().response, status=503)
    assert rates.of(exchange()) == 100
    assert rates.of(exchange(consumer=noisy)) == 0
    assert rates.of(exchange(company=company)) == 0
    assert rates.of(exchange(consumer=Consumer(id="half"), company=company)) == 50
    assert rates.of(evolve(exchange(), request=healthy)) == 0
    assert rates.of(evolve(exchange(consumer=noisy), response=failed)) == 100


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'{"sample_rate": "x"}', b'{"regex_config": {}}', b'{"regex_config": [1]}',
             b'{"user_sample_rate": [1]}', b'{"regex_config": [{"conditions": [1], "sample_rate": 0}]}'],
)  # fmt: skip
def test_a_configuration_that_is_odd_thins_nothing(body):
    assert read_rates(body).of(exchange()) == 100


@pytest.mark.swallows_errors
def test_a_configuration_that_is_no_json_thins_nothing():
    sampling = Sampling()
    assert not sampling.read_config(b"<html>")
    assert sampling.rates.of(exchange()) == 100
    assert _guard.counts() == {"moesif.config": 1}


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
@pytest.mark.parametrize(
    "config",
    [
        '{"sample_rate": %s}', '{"user_sample_rate": {"u": %s}}', '{"company_sample_rate": {"c": %s}}',
        '{"regex_config": [{"conditions": [], "sample_rate": %s}]}',
    ],
)  # fmt: skip
def test_a_rate_that_is_no_percentage_is_ignored_with_one_line(caplog, rate, config):
    given = exchange(consumer=Consumer(id="u"), company=Company(id="c"))
    assert read_rates((config % rate).encode()).of(given) == 100
    (line,) = [record.getMessage() for record in caplog.records]
    assert "mend " in line
    assert "in Moesif" in line


ODD_RULES = [
    7, None, [], {}, {"conditions": 5, "sample_rate": 0}, {"conditions": [5], "sample_rate": 0},
    {"conditions": [{"path": ["x"], "value": "."}], "sample_rate": 0},
    {"conditions": [{"path": {}, "value": "."}], "sample_rate": 0},
    {"conditions": [{"path": "request.verb", "value": "a{99999999999}"}], "sample_rate": 0},
    {"conditions": [{"path": "request.verb", "value": "(" * 249 + "x" + ")" * 249}], "sample_rate": 0},
    {"conditions": [{"path": "request.verb", "value": {}}], "sample_rate": 0},
    {"conditions": [], "sample_rate": []},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_RULES)
def test_an_odd_rule_costs_neither_an_exchange_nor_the_other_rules(backend, moesif, odd):
    good = {"conditions": [{"path": "request.verb", "value": "^DELETE$"}], "sample_rate": 0}
    config = json.dumps({"regex_config": [odd, good]}).encode()
    backend.by_path["/v1/config"] = Reply(200, {}, config)
    deleted = evolve(exchange(2), request=evolve(exchange().request, method="DELETE"))
    assert moesif.export_exchanges([exchange(1), deleted, exchange(3)])
    ((first, third),) = batches(backend)
    assert [first["transaction_id"][-1], third["transaction_id"][-1]] == ["1", "3"]


@pytest.mark.swallows_errors
def test_a_configuration_that_was_not_read_is_asked_for_whole_at_its_time(backend, moesif):
    backend.by_path["/v1/config"] = Reply(200, {"X-Moesif-Config-ETag": "two"}, b"<html>")
    backend.otherwise = Reply(201, {"X-Moesif-Config-ETag": "two"})
    moesif.export_exchanges([exchange()])
    moesif.export_exchanges([exchange()])
    assert len(configs(backend)) == 1
    moesif._config.ask_again()
    moesif.export_exchanges([exchange()])
    assert "if-none-match" not in configs(backend)[1].headers


def test_a_configuration_that_was_read_is_asked_for_by_its_etag(backend, moesif):
    moesif.export_exchanges([exchange()])
    moesif._config.ask_again()
    moesif.export_exchanges([exchange()])
    assert configs(backend)[1].headers["if-none-match"] == "one"


@pytest.mark.swallows_errors
def test_what_one_cannot_read_the_others_still_read(backend):
    backend.by_path["/v1/config"] = Reply(200, {"X-Moesif-Config-ETag": "one"}, b"{}")
    read = []

    def broken(_):
        raise OverflowError

    sender = Sender("moesif", backend.url, headers={})
    document = configuration(sender, broken, lambda got: not read.append(got))
    assert document.refresh(Patience(5))
    assert read == [b"{}"]
    document.ask_again()
    document.refresh(Patience(5))
    assert "if-none-match" not in configs(backend)[1].headers


def test_what_is_thinned_weighs_more(backend, moesif):
    config = json.dumps({"sample_rate": 25}).encode()
    backend.by_path["/v1/config"] = Reply(200, {}, config)
    moesif.export_exchanges([exchange(number) for number in range(400)])
    events = [event for batch in batches(backend) for event in batch]
    assert 50 < len(events) < 150
    assert {event["weight"] for event in events} == {4}


def test_another_etag_in_an_answer_has_the_configuration_asked_for_again(backend, moesif):
    moesif.export_exchanges([exchange()])
    moesif.export_exchanges([exchange()])
    backend.otherwise = Reply(201, {"X-Moesif-Config-ETag": "two"})
    moesif.export_exchanges([exchange()])
    moesif.export_exchanges([exchange()])
    asked = [r for r in backend.received if r.path == "/v1/config"]
    assert len(asked) == 2
    assert asked[1].headers["if-none-match"] == "one"


def test_a_configuration_that_cannot_be_had_keeps_nothing_back(backend, moesif):
    backend.by_path["/v1/config"] = Reply(500)
    assert moesif.export_exchanges([exchange()])
    assert len(batches(backend)) == 1


@pytest.mark.parametrize(
    ("method", "argument", "path"),
    [
        ("update_user", {"user_id": "u"}, "/v1/users"),
        ("update_users", [{"user_id": "u"}], "/v1/users/batch"),
        ("update_company", {"company_id": "c"}, "/v1/companies"),
        ("update_companies", [{"company_id": "c"}], "/v1/companies/batch"),
        ("update_subscription", {"subscription_id": "s"}, "/v1/subscriptions"),
        ("update_subscriptions", [{"subscription_id": "s"}], "/v1/subscriptions/batch"),
    ],
)
def test_users_companies_and_subscriptions_are_told(backend, moesif, method, argument, path):
    backend.planned.append(Reply(503))
    assert getattr(moesif, method)(argument)
    assert [(r.path, r.json) for r in backend.received] == [(path, argument)] * 2


def test_without_an_application_id_code_is_told_what_to_set():
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_MOESIF_APPLICATION_ID"):
        MoesifSpanExporter()


def test_by_its_name_it_is_off_then_with_one_line(caplog, backend):
    exporter = MoesifByName()
    assert exporter.disabled
    (line,) = [record.getMessage() for record in caplog.records]
    assert "OTEL_EXPORTER_MOESIF_APPLICATION_ID" in line
    assert exporter.export_exchanges([exchange()])
    exporter.force_flush()
    exporter.shutdown()


def test_the_environment_is_enough(backend, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_APPLICATION_ID", "from-environment")
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_BASE_URI", f"{backend.url}/")
    exporter = MoesifByName()
    assert exporter.export_exchanges([exchange()])
    assert {r.headers["x-moesif-application-id"] for r in backend.received} == {"from-environment"}


@pytest.mark.parametrize(
    ("door", "variables"),
    [
        ("OTEL_TRACES_EXPORTER", ["GOVERNANCE", "TRANSACTION_ID_HEADER"]),
        ("OTEL_TRACES_EXPORTER", ["GOVERNANCE"]), ("OTEL_TRACES_EXPORTER", ["TRANSACTION_ID_HEADER"]),
        ("OTEL_TRACES_EXPORTER", []),
        ("OTEL_APIMETRICS_EXPORTERS", ["GOVERNANCE", "TRANSACTION_ID_HEADER"]),
    ],
)  # fmt: skip
def test_one_line_at_start_up_names_the_options_that_do_nothing_behind_spans(
    monkeypatch, caplog, door, variables
):
    monkeypatch.setenv(door, "otlp, moesif")
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_APPLICATION_ID", "app")
    for variable in variables:
        monkeypatch.setenv(f"OTEL_EXPORTER_MOESIF_{variable}", "true")
    assert not MoesifByName().disabled
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == (1 if door == "OTEL_TRACES_EXPORTER" and variables else 0)
    for line in lines:
        assert [v for v in ("GOVERNANCE", "TRANSACTION_ID_HEADER") if v in line] == variables
        assert "OTEL_APIMETRICS_EXPORTERS" in line


@pytest.mark.parametrize(
    "options",
    [
        {"base_uri": "api.moesif.net"}, {"base_uri": "https://user:pw@api.moesif.net"}, {"timeout": 0},
        {"timeout": "soon"}, {"max_body_size": -1}, {"skip": "nowhere:nothing"}, {"aplication": "x"},
        {"application_id": "two words"}, {"dynamic_sampling": "maybe"}, {"spool": "/proc/nowhere"},
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_and_no_secret_is_repeated(options):
    with pytest.raises(ConfigError) as caught:
        MoesifSpanExporter(**{"application_id": "app", **options})
    assert "pw" not in str(caught.value)
    assert "two words" not in str(caught.value)


def test_a_client_is_told_the_id_of_its_event_where_that_was_asked_for(backend):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"body"]

    for wanted in (True, False):
        moesif = MoesifSpanExporter(
            application_id="app", base_uri=backend.url, transaction_id_header=wanted
        )
        served = ApiMetricsWSGIMiddleware(app, exporters=[moesif])
        answer = serve_wsgi(served, make_environ())
        assert served._pipeline.outlets[0].flush(10)
        (told,) = batches(backend).pop()
        (headers,) = [event[2] for event in answer.events if event[0] == "start"]
        sent = dict(headers).get("x-moesif-transaction-id")
        assert sent == (told["transaction_id"] if wanted else None)
        assert told["response"]["headers"].get("x-moesif-transaction-id") == sent


class Own(BaseException):
    """No `Exception`, and raised by a hook itself."""


@pytest.mark.swallows_errors
@pytest.mark.parametrize("raised", [SystemExit, asyncio.CancelledError, KeyboardInterrupt, Own])
def test_a_choice_of_the_users_that_exits_costs_its_exchange_alone(backend, raised):
    def skip(one):
        if one.id.endswith("2"):
            raise raised
        return False

    exporter = MoesifSpanExporter(
        application_id="app", base_uri=backend.url, skip=skip, dynamic_sampling=False
    )
    queue = DeliveryQueue("moesif", exporter.export_exchanges, counts=False)
    for number in range(1, 6):
        queue.accept(exchange(number))
    assert queue.flush(20)
    queue.close()

    assert sum(map(len, batches(backend))) == 4
    assert health.counts("sent") == {("moesif", ""): 4}
    assert health.counts("dropped") == {("moesif", "untranslatable"): 1}
    assert health.counts("failed") == {}


@pytest.mark.parametrize("given", [None, "u1", 7, ["u1"]])
@pytest.mark.parametrize("kind", ["user", "company", "subscription"])
def test_what_is_told_of_somebody_and_is_no_mapping_is_an_error_that_names_the_remedy(
    moesif, backend, kind, given
):
    many = {"user": "users", "company": "companies", "subscription": "subscriptions"}[kind]
    with pytest.raises(TypeError, match=f'{kind} is of type .*: give .*"{kind}_id"'):
        getattr(moesif, f"update_{kind}")(given)
    with pytest.raises(TypeError, match=f'({kind}|{many}) is of type .*: give .*"{kind}_id"'):
        getattr(moesif, f"update_{many}")(given)
    with pytest.raises(TypeError, match=f"{many} is of type dict: give a list"):
        getattr(moesif, f"update_{many}")({f"{kind}_id": "1"})
    assert backend.received == []
