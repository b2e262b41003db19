"""Moesif's governance rules: what they add to responses, whom they block, and what they are told by."""

import json

import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from otel_apimetrics import (
    ApiMetricsASGIMiddleware,
    ApiMetricsWSGIMiddleware,
    _guard,
    set_consumer,
)
from otel_apimetrics.config import ConfigError
from otel_apimetrics.exporters.moesif import MoesifSpanExporter, documents
from otel_apimetrics.exporters.moesif.by_name import MoesifByName
from otel_apimetrics.exporters.moesif.rules import read_rules
from tests.exporters.sink import Reply
from tests.in_process import (
    make_environ,
    make_scope,
    request_messages,
    serve_asgi,
    serve_wsgi,
)
from tests.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("quick")

BLOCKED = b'{"err": "blocked"}'


def rule(_id="r1", **more):
    """A rule as Moesif sends it: it blocks every request that its kind is about."""
    response = {"status": 429, "headers": {"X-Rule": "hello there"}, "body": {"err": "blocked"}}
    return {
        "_id": _id, "name": "a rule", "created_at": "2026-01-01T00:00:00.000Z", "type": "regex",
        "block": True, "applied_to": "matching", "applied_to_unidentified": False, "state": 2,
        "regex_config": [], "variables": [], "response": response, "org_id": "1:1", "app_id": "2:2",
        **more,
    }  # fmt: skip


def when(path, value):
    return {"conditions": [{"path": path, "value": value}]}


def cohort(who, rule_id, **values):
    return {who: [{"rules": rule_id, "values": {k[1:]: v for k, v in values.items()}}]}


HEADER_RULE = rule(regex_config=[when("request.headers.X-Block", "^yes$")])
PLAN_RULE = rule(
    "r2", type="user", variables=[{"name": "0", "path": "a"}, {"name": "1", "path": "b"}],
    response={
        "status": 429, "headers": {"X-Rate": "{{0}}"}, "body": {"msg": "over {{0}} on {{1}} plan"},
    },
)  # fmt: skip
PLAN = {"user_rules": cohort("u1", "r2", _0="1000", _1="Free")}


OPEN = []


@pytest.fixture(autouse=True)
def closed(backend):
    """No delivery outlives its backend."""
    yield
    while OPEN:
        OPEN.pop().app._pipeline.outlets[0].close(10)


class Served:
    """A real app behind a middleware, with an exporter to a backend that is asked once."""

    def __init__(self, kind, backend, rules, config, **options):
        backend.otherwise = Reply(201)
        backend.by_path["/v1/config"] = Reply(200, {}, json.dumps(config).encode())
        backend.by_path["/v1/rules"] = Reply(200, {}, json.dumps(rules).encode())
        self.backend, self.kind, self.calls = backend, kind, 0
        self.moesif = MoesifSpanExporter(
            **{"application_id": "app", "base_uri": backend.url, "governance": True, **options}
        )
        self.moesif.export_exchanges([])
        options = {"exporters": [self.moesif], "identify": "header:x-user", **Telemetry().providers}
        if kind == "wsgi":
            self.app = ApiMetricsWSGIMiddleware(self._flask(), **options)
        else:
            self.app = ApiMetricsASGIMiddleware(self._starlette(), **options)
        OPEN.append(self)

    def _flask(self):
        from flask import request

        app = Flask("app")

        @app.route("/a", methods=["GET", "POST"])
        def a():
            self._handle(request.headers)
            request.get_data()
            return {"ok": 1}

        return app

    def _starlette(self):
        async def a(request: Request):
            self._handle(request.headers)
            await request.body()
            return JSONResponse({"ok": 1})

        return Starlette(routes=[Route("/a", a, methods=["GET", "POST"])])

    def _handle(self, headers):
        self.calls += 1
        if "x-company" in headers:
            set_consumer("someone", company=headers["x-company"])

    def ask(self, body=b"", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        method = "POST" if body else "GET"
        if body:
            headers["content-type"] = "application/json"
        if self.kind == "wsgi":
            served = serve_wsgi(self.app, make_environ(method, "/a", body=body, headers=headers))
            (start,) = [event for event in served.events if event[0] == "start"]
            told = {name.lower(): value for name, value in start[2]}
        else:
            lines = [(k.encode(), v.encode()) for k, v in headers.items()]
            lines += [(b"content-length", str(len(body)).encode())] if body else []
            scope = make_scope(method, "/a", headers=lines)
            served = serve_asgi(self.app, scope, request_messages(body))
            told = {k.decode(): v.decode() for k, v in served.sent[0]["headers"]}
        assert served.error is None
        return served.status, told, served.body

    def event(self):
        assert self.app._pipeline.outlets[0].flush(10)
        batches = [r.json for r in self.backend.received if r.path == "/v1/events/batch"]
        ((event,),) = batches
        return event


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request):
    return request.param


# What the vendor's own SDKs answered, and what they told Moesif, for the same rules.
SEEN_OF_THE_VENDOR = {
    "a request that a rule is about": (
        [HEADER_RULE], {}, {"x_block": "yes"}, b"", 429, BLOCKED, {"x-rule": "hello there"}, "r1",
    ),
    "a request that it is not about": ([HEADER_RULE], {}, {}, b"", 200, None, {}, None),
    "the variables of a user": (
        [PLAN_RULE], PLAN, {"x_user": "u1"}, b"", 429, b'{"msg": "over 1000 on Free plan"}',
        {"x-rate": "1000"}, "r2",
    ),
    "a user who is not in the cohort": ([PLAN_RULE], PLAN, {"x_user": "u9"}, b"", 200, None, {}, None),
    "nobody, and a rule about users": ([PLAN_RULE], PLAN, {}, b"", 200, None, {}, None),
    "nobody, and a rule about nobody": (
        [rule("r3", type="user", applied_to_unidentified=True)], {}, {}, b"", 429, BLOCKED,
        {"x-rule": "hello there"}, "r3",
    ),
    "a company that is not in the cohort": (
        [rule("r4", type="company", applied_to="not_matching")],
        {"company_rules": cohort("c1", "r4")}, {"x_company": "zz"}, b"", 429, BLOCKED,
        {"x-rule": "hello there"}, "r4",
    ),
    "a member of the body": (
        [rule("r6", regex_config=[when("request.body.operationName", "^Secret")])], {}, {},
        b'{"operationName": "SecretQuery"}', 429, BLOCKED, {"x-rule": "hello there"}, "r6",
    ),
    "a number in the body": (
        [rule("r6", regex_config=[when("request.body.amount", "5")])], {}, {}, b'{"amount": 5}',
        200, None, {}, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SEEN_OF_THE_VENDOR)
def test_clients_and_moesif_are_told_what_the_vendors_sdk_tells(backend, kind, case):
    rules, config, headers, sent, status, body, lines, blocked_by = SEEN_OF_THE_VENDOR[case]
    served = Served(kind, backend, rules, config)
    got, told, content = served.ask(sent, **headers)
    assert got == status
    assert {name: told.get(name) for name in ("x-rule", "x-rate") if name in told} == lines
    assert int(told["content-length"]) == len(content)
    event = served.event()
    assert (event["response"]["status"], event["blocked_by"]) == (status, blocked_by)
    if body is None:
        assert json.loads(content) == event["response"]["body"] == {"ok": 1}
    else:
        assert (content, told["content-type"]) == (body, "application/json")
        assert event["response"]["body"] == json.loads(body)
        assert event["response"]["transfer_encoding"] == "json"
    assert event["user_id"] == (
        headers.get("x_user") or ("someone" if "x_company" in headers else None)
    )
    assert event["company_id"] == headers.get("x_company")


# Its SDKs answered 500 to these, without an event.
MENDED = {
    "variables in a list": (
        [rule("r5", variables=[{"name": "0", "path": "a"}], response={"status": 429, "body": ["{{0}}", 1]})],
        {}, 429, ["UNKNOWN", 1],
    ),
    "the short rule of the documentation": (
        [{"_id": "r", "type": "regex", "block": True, "response": {"status": 403, "body": {"e": 1}}}],
        {}, 403, {"e": 1},
    ),
    "a rule that there is not": (
        [rule("r2", type="user")], {"user_rules": {"u1": [{"rules": "gone"}, {"rules": "r2"}]}}, 429,
        {"err": "blocked"},
    ),
    "a status of nobody's": (
        [rule("r8", response={"status": 499, "body": {"e": 1}})], {}, 499, {"e": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MENDED)
def test_rules_that_break_the_vendors_sdk_are_followed(backend, kind, case):
    rules, config, status, body = MENDED[case]
    served = Served(kind, backend, rules, config)
    got, _, content = served.ask(x_user="u1")
    assert (got, json.loads(content)) == (status, body)
    assert served.event()["response"]["status"] == status


def test_a_rule_that_does_not_block_adds_its_headers(backend, kind):
    served = Served(kind, backend, [rule(block=False)], {})
    status, told, content = served.ask()
    assert (status, told["x-rule"], json.loads(content)) == (200, "hello there", {"ok": 1})
    assert served.calls == 1
    event = served.event()
    assert event["blocked_by"] is None
    assert event["response"]["headers"]["x-rule"] == "hello there"


def test_the_app_is_not_called_for_what_the_request_tells(backend, kind):
    served = Served(kind, backend, [HEADER_RULE, PLAN_RULE], PLAN)
    assert served.ask(x_block="yes")[0] == served.ask(x_user="u1")[0] == 429
    assert served.calls == 0


def test_the_app_is_called_where_only_it_can_tell(backend, kind):
    config = {"company_rules": cohort("c1", "r4")}
    served = Served(kind, backend, [rule("r4", type="company")], config)
    assert [served.ask(x_company=who)[0] for who in ("c1", "c2")] == [429, 200]
    assert served.calls == 2


def test_the_last_rule_that_blocks_answers_and_the_headers_of_all_are_sent(backend, kind):
    rules = [
        rule("u", type="user", response={"status": 402, "headers": {"X-B": "u"}, "body": {"u": 1}}),
        rule("a", response={"status": 401, "headers": {"X-A": "a", "X-B": "a"}, "body": {"a": 1}}),
        rule("n", block=False, response={"headers": {"X-N": "n"}}),
    ]
    served = Served(kind, backend, rules, {"user_rules": cohort("u1", "u")})
    status, told, content = served.ask(x_user="u1")
    assert (status, json.loads(content), served.event()["blocked_by"]) == (402, {"u": 1}, "u")
    assert (told["x-a"], told["x-b"], told["x-n"]) == ("a", "u", "n")


def test_a_rule_may_name_another_type_and_the_clients_id_is_told_too(backend, kind):
    response = {"status": 403, "headers": {"Content-Type": "application/problem+json"}, "body": {}}
    served = Served(kind, backend, [rule(response=response)], {}, transaction_id_header=True)
    _, told, content = served.ask()
    assert (told["content-type"], content) == ("application/problem+json", b"{}")
    assert told["x-moesif-transaction-id"] == served.event()["transaction_id"]


def test_a_rule_without_a_body_sends_none(backend, kind):
    served = Served(kind, backend, [rule(response={"status": 403})], {})
    assert served.ask() == (403, {"content-length": "0"}, b"")


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("{{0}} of {{1}}", {"0": "5", "1": 10}, "5 of 10"),
        ("{{0}}{{0}}", {"0": "5"}, "55"),
        ("{{0}}", {}, "UNKNOWN"),
        ("{{0|none}}", {}, "none"),
        ("{{0|none}}", {"0": "5"}, "5"),
        ("{{0|}}", {}, ""),
        ("{{2}} {0} {{ 0 }} {{", {"0": "5"}, "{{2}} {0} {{ 0 }} {{"),
        ("{{0}}", {"0": "{{1}}", "1": "x"}, "{{1}}"),
        ("{{0}}", {"0": '"\\\n'}, '"\\\n'),
    ],
)
def test_merge_tags_are_filled_with_the_values_of_the_entity(text, values, filled):
    variables = [{"name": "0", "path": "a"}, {"name": "1", "path": "b"}]
    (one,) = read_rules(
        json.dumps(
            [rule(variables=variables, response={"status": 429, "headers": {"X-A": f"a {text}"}, "body": [{"m": text}, 1]})]
        ).encode()
    )  # fmt: skip
    said = {name: str(value) for name, value in values.items()}
    assert json.loads(one.body(said)) == [{"m": filled}, 1]
    # What a value makes unfit for a header is left out: nothing is smuggled into the response.
    line = f"a {filled}"
    fits = line.isprintable() and line == line.strip()
    assert one.lines(said) == ((("x-a", line),) if fits else ())


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        (when("request.verb", "^GET$"), True),
        (when("request.verb", "^POST$"), False),
        (when("request.route", "^http://api.example:8000/a$"), True),
        (when("request.route", "^/a"), False),
        (when("request.ip", r"^192\.0\.2\."), True),
        (when("request.headers.HOST", "api"), True),
        (when("request.headers.absent", ""), False),
        (when("request.unknown", "."), False),
        ({"conditions": []}, False),
        ({"conditions": [*when("request.verb", "GET")["conditions"], *when("request.verb", "X")["conditions"]]}, False),
    ],
)  # fmt: skip
def test_a_condition_looks_at_what_the_vendors_sdk_looks_at(backend, kind, condition, matches):
    served = Served(kind, backend, [rule(regex_config=[condition])], {})
    assert served.ask()[0] == (429 if matches else 200)
    other = rule(regex_config=[condition, when("request.verb", "GET")])
    assert Served(kind, backend, [other], {}).ask()[0] == 429


BAD = {
    "no id": {**rule(), "_id": None},
    "no type": rule(type="other"),
    "exponential": rule(regex_config=[when("request.route", r"(a+)+\1$")]),
    "no expression": rule(regex_config=[when("request.route", "(")]),
    "a long expression": rule(regex_config=[when("request.route", "a" * 501)]),
    "a number for an expression": rule(regex_config=[when("request.route", 5)]),
    "a repeat that is too large": rule(regex_config=[when("request.route", "a{99999999999}")]),
    "a list for a path": rule(regex_config=[when(["request.route"], "a")]),
    "a list for a type": rule(type=["regex"]),
    "no path": rule(regex_config=[{"conditions": [{"value": "a"}]}]),
    "no status": rule(response={"body": {}}),
    "an interim status": rule(response={"status": 100, "body": {}}),
    "true for a status": rule(response={"status": True, "body": {}}),
    "two lines in a header": rule(response={"status": 429, "headers": {"X-A": "1\r\nX-B: 2"}}),
    "no header": rule(response={"status": 429, "headers": {"X A": "1"}}),
    "no rule": 7,
    "no conditions": rule(regex_config=[7]),
    "too deep": rule(response={"status": 429, "body": json.loads("[" * 40 + "]" * 40)}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_rule_that_cannot_be_followed_is_left_out_with_one_line(backend, kind, caplog, case):
    served = Served(kind, backend, [BAD[case], rule("good", block=False)], {})
    served.moesif._rules.ask_again()
    served.moesif.export_exchanges([])
    assert len([r for r in backend.received if r.path == "/v1/rules"]) == 2
    status, told, _ = served.ask()
    assert (status, told["x-rule"]) == (200, "hello there")
    (line,) = [record.getMessage() for record in caplog.records]
    assert "governance rule" in line


@pytest.mark.swallows_errors
@pytest.mark.parametrize("document", [b"<html>", b"[" * 100_000])
def test_a_document_that_is_none_leaves_the_rules_as_they_were(backend, kind, document):
    served = Served(kind, backend, [HEADER_RULE], {})
    backend.by_path["/v1/rules"] = Reply(200, {}, document)
    backend.by_path["/v1/config"] = Reply(200, {}, document)
    served.moesif._config.ask_again()
    served.moesif.export_exchanges([])
    assert served.ask(x_block="yes")[0] == 429
    assert _guard.counts() == {"moesif.rules": 1, "moesif.cohorts": 1, "moesif.config": 1}


@pytest.mark.parametrize(
    "document", ["{}", "null", "[]", '{"user_rules": [1], "company_rules": {"c": 1}}']
)
def test_where_nothing_is_said_nobody_is_governed(backend, kind, document):
    served = Served(kind, backend, json.loads(document), json.loads(document))
    assert not served.moesif.governor.is_active
    assert served.ask()[0] == 200


def asked(backend, path):
    return [request for request in backend.received if request.path == path]


def test_rules_are_asked_for_with_the_configuration_and_when_an_answer_names_others(backend):
    served = Served("wsgi", backend, [HEADER_RULE], {})
    moesif = served.moesif
    backend.by_path["/v1/rules"] = Reply(200, {"X-Moesif-Rules-Tag": "two"}, b"[]")
    moesif.export_exchanges([])
    assert len(asked(backend, "/v1/rules")) == 1
    moesif._config.ask_again()
    moesif.export_exchanges([])
    assert len(asked(backend, "/v1/rules")) == 2
    assert "if-none-match" not in asked(backend, "/v1/rules")[1].headers

    backend.by_path["/v1/rules"] = Reply(304)
    backend.otherwise = Reply(201, {"X-Moesif-Rules-Tag": "two"})
    served.ask()
    assert served.app._pipeline.outlets[0].flush(10)
    moesif.export_exchanges([])
    assert len(asked(backend, "/v1/rules")) == 2
    backend.otherwise = Reply(201, {"X-Moesif-Rules-Tag": "three"})
    served.ask()
    assert served.app._pipeline.outlets[0].flush(10)
    moesif.export_exchanges([])
    assert asked(backend, "/v1/rules")[2].headers["if-none-match"] == "two"


@pytest.mark.parametrize("status", [304, 401, 500])
def test_rules_that_cannot_be_had_stay_as_they_were(backend, kind, status):
    served = Served(kind, backend, [HEADER_RULE], {})
    backend.by_path["/v1/rules"] = Reply(status)
    served.moesif._rules.ask_again()
    served.moesif.export_exchanges([])
    assert len(asked(backend, "/v1/rules")) == 2
    assert served.ask(x_block="yes")[0] == 429


def test_a_document_may_name_many_users(backend, kind):
    users = {f"user-{number:08d}": [{"rules": "r2"}] for number in range(4_000)}
    assert len(json.dumps(users)) > 64 * 1024 < documents.MOST
    served = Served(kind, backend, [rule("r2", type="user")], {"user_rules": users})
    assert served.ask(x_user="user-00003999")[0] == 429
    assert served.ask(x_user="user-00004000")[0] == 200


def test_rules_are_followed_without_sampling(backend, kind):
    served = Served(kind, backend, [PLAN_RULE], {**PLAN, "sample_rate": 0}, dynamic_sampling=False)
    assert served.ask(x_user="u1")[0] == 429
    assert served.event()["blocked_by"] == "r2"


def test_unless_it_was_asked_for_nothing_is_fetched_and_nobody_is_governed(backend, kind):
    served = Served(kind, backend, [rule()], {}, governance=False)
    assert served.moesif.governor is None
    assert served.app._pipeline.governors == ()
    assert served.ask()[0] == 200
    assert served.event()["blocked_by"] is None
    assert asked(backend, "/v1/rules") == []


def test_without_sampling_and_rules_nothing_is_asked_for(backend, kind):
    served = Served(kind, backend, [rule()], {}, governance=False, dynamic_sampling=False)
    served.ask()
    served.event()
    assert {request.path for request in backend.received} == {"/v1/events/batch"}


def test_the_environment_can_ask_for_it(backend, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_APPLICATION_ID", "app")
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_BASE_URI", backend.url)
    assert MoesifByName().governor is None
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_GOVERNANCE", "true")
    assert MoesifByName().governor is not None
    monkeypatch.setenv("OTEL_EXPORTER_MOESIF_GOVERNANCE", "perhaps")
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_MOESIF_GOVERNANCE"):
        MoesifSpanExporter()


def test_the_first_request_of_a_process_has_the_rules_fetched(backend, kind):
    served = Served(kind, backend, [HEADER_RULE], {})
    fresh = MoesifSpanExporter(application_id="app", base_uri=backend.url, governance=True)
    served.app._pipeline.governors = (fresh.governor,)
    assert served.ask(x_block="yes")[0] == 200
    fresh.export_exchanges([])
    assert served.ask(x_block="yes")[0] == 429
