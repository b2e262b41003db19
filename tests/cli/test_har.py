import json
from base64 import b64encode

import pytest

JSON = "application/json; charset=utf-8"


def pair(name, value, **more):
    return {"name": name, "value": value, **more}


def entry(request=None, response=None, **more):
    url = {"method": "POST", "url": "https://x.de/a"}
    return {"time": 12.5, "request": {**url, **(request or {})}, "response": response or {}, **more}


def archive(*entries, **more):
    return json.dumps({"log": {"version": "1.2", **more, "entries": list(entries)}})


@pytest.fixture
def har(redact):
    """Redact an archive; gives the entries of the result, and the findings as path and rule."""

    def redacting(*entries, flags=(), **more):
        done = redact(archive(*entries, **more), "--json", *flags)
        assert (done.code, done.err) == (0, "")
        said = json.loads(done.out)
        found = [
            (one["path"].replace("log.entries[0].", ""), one["rule"]) for one in said["findings"]
        ]
        return json.loads(said["result"])["log"], found

    return redacting


def one(har, **message):
    log, found = har(entry(**message))
    return log["entries"][0], found


def test_each_part_of_a_request_passes_its_own_room(har):
    request = {
        "url": "https://u:p4ssw0rd@x.de/a?q=1&api_key=abc#frag",
        "headers": [pair("Authorization", "Bearer abc"), pair("Accept", "*/*", comment="")],
        "cookies": [pair("sid", "abc", path="/", httpOnly=True)],
        "queryString": [pair("q", "1"), pair("api_key", "abc")],
        "postData": {"mimeType": JSON, "text": '{"password":"abc","n":1.10}'},
    }
    clean, found = one(har, request=request)
    assert clean["request"] == {
        "method": "POST",
        "url": "https://[REDACTED]@x.de/a?q=1&api_key=[REDACTED]",
        "headers": [pair("Authorization", "Bearer [REDACTED]"), pair("Accept", "*/*", comment="")],
        "cookies": [pair("sid", "[REDACTED]", path="/", httpOnly=True)],
        "queryString": [pair("q", "1"), pair("api_key", "[REDACTED]")],
        "postData": {"mimeType": JSON, "text": '{"password":"[REDACTED]","n":1.10}'},
    }
    assert found == [
        ("request.url", "value:url_userinfo"),
        ("request.url", "name:api_key"),
        ("request.headers[0].value", "header:authorization"),
        ("request.cookies[0]", "cookie:sid"),
        ("request.queryString", "name:api_key"),
        ("request.postData.text", "name:password"),
    ]


def test_each_part_of_a_response_passes_its_own_room(har):
    response = {
        "status": 302,
        "headers": [pair("Set-Cookie", "sid=abc; Path=/")],
        "cookies": [pair("sid", "abc")],
        "redirectURL": "/x?token=abc",
        "content": {"size": 3, "mimeType": "text/plain", "text": "password=abc"},
    }
    clean, found = one(har, response=response)
    assert clean["response"] == {
        "status": 302,
        "headers": [pair("Set-Cookie", "sid=[REDACTED]; Path=/")],
        "cookies": [pair("sid", "[REDACTED]")],
        "redirectURL": "/x?token=[REDACTED]",
        "content": {"size": 3, "mimeType": "text/plain", "text": "password=[REDACTED]"},
    }
    assert [rule for _, rule in found] == [
        "cookie:sid",
        "cookie:sid",
        "name:token",
        "name:password",
    ]


def test_every_other_member_passes_as_metadata_does(har):
    log, found = har(
        entry(_initiator={"url": "/x?token=abc"}, _socket=["Bearer abcdefgh"], _note="pin=1234"),
        pages=[{"title": "https://x.de/?token=abc"}],
        creator={"name": "x", "version": "1"},
    )
    clean = log["entries"][0]
    assert clean["_initiator"] == {"url": "/x?token=[REDACTED]"}
    assert clean["_socket"] == ["Bearer [REDACTED]"]
    assert clean["_note"] == "pin=[REDACTED]"
    assert log["pages"] == [{"title": "https://x.de/?token=[REDACTED]"}]
    assert log["creator"] == {"name": "x", "version": "1"}
    assert log["version"] == "1.2"
    assert len(found) == 4


def test_what_a_policy_removes_is_no_more_in_the_archive(har):
    request = {
        "headers": [pair("Authorization", "Bearer abc"), pair("Accept", "*/*")],
        "cookies": [pair("sid", "abc")],
        "queryString": [pair("token", "a"), pair("q", "1"), pair("token", "b"), pair("r", "2")],
        "postData": {"mimeType": JSON, "text": '{"password":"abc","n":1}'},
    }
    log, found = har(entry(request), flags=["--mask", "remove"])
    clean = log["entries"][0]["request"]
    assert clean["headers"] == [pair("Accept", "*/*")]
    assert clean["cookies"] == []
    assert clean["queryString"] == [pair("q", "1"), pair("r", "2")]
    assert clean["postData"]["text"] == '{"n":1}'
    assert len(found) == 5


def test_all_pairs_may_be_removed(har):
    log, _ = har(entry({"queryString": [pair("token", "a")]}), flags=["--mask", "remove"])
    assert log["entries"][0]["request"]["queryString"] == []


def test_pairs_are_read_as_the_browser_wrote_them(har):
    decoded = [pair("q", "a b&c"), pair("n", "Bearer abcdefgh")]
    clean, _ = one(har, request={"queryString": decoded})
    assert clean["request"]["queryString"] == [pair("q", "a b&c"), pair("n", "Bearer [REDACTED]")]
    url = "https://x.de/a?q=a%20b%26c&n=Bearer%20abcdefgh"
    sent = [pair("q", "a%20b%26c"), pair("n", "Bearer%20abcdefgh")]
    clean, _ = one(har, request={"url": url, "queryString": sent})
    assert clean["request"]["queryString"] == [
        pair("q", "a%20b%26c"),
        pair("n", "Bearer%20[REDACTED]"),
    ]


def test_the_parts_of_a_form_are_masked_by_their_boundary(har):
    text = '--b\r\nContent-Disposition: form-data; name="pin"\r\n\r\n1234\r\n--b--\r\n'
    data = {"mimeType": "multipart/form-data; boundary=b", "text": text}
    clean, found = one(har, request={"postData": data})
    assert clean["request"]["postData"]["text"] == text.replace("1234", "[REDACTED]")
    assert found == [("request.postData.text", "name:pin")]


def test_a_form_may_have_its_fields_alone(har):
    data = {"mimeType": "multipart/form-data", "params": [pair("pin", "1234", fileName="a")]}
    clean, _ = one(har, request={"postData": data})
    masked = [pair("pin", "[REDACTED]", fileName="a")]
    assert clean["request"]["postData"] == {"mimeType": "multipart/form-data", "params": masked}


@pytest.mark.swallows_errors
def test_where_the_redaction_of_pairs_fails_none_is_left(har, monkeypatch):
    monkeypatch.setenv("OTEL_APIMETRICS_REDACTION_CALLBACK", "json:loads")
    clean, found = one(har, request={"queryString": [pair("a", "1234"), pair("b", "2345")]})
    assert clean["request"]["queryString"] == [pair("[REDACTED:error]", "")]
    assert ("request.queryString", "error") in found


def test_the_fields_of_a_form_are_masked_as_a_form(har):
    data = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [pair("user", "ada"), pair("pin", "1234")],
        "text": "user=ada&pin=1234",
    }
    clean, found = one(har, request={"postData": data})
    assert clean["request"]["postData"]["params"] == [
        pair("user", "ada"),
        pair("pin", "[REDACTED]"),
    ]
    assert clean["request"]["postData"]["text"] == "user=ada&pin=[REDACTED]"
    assert found == [
        ("request.postData.params", "name:pin"),
        ("request.postData.text", "name:pin"),
    ]


def test_base64_is_decoded_where_it_is_text(har):
    text = b64encode(b'{"token": "abc"}').decode()
    content = {"mimeType": "application/json", "text": text, "encoding": "base64"}
    clean, found = one(har, response={"content": content})
    assert clean["response"]["content"] == {
        "mimeType": "application/json",
        "text": '{"token": "[REDACTED]"}',
    }
    assert found == [("response.content.text", "name:token")]


@pytest.mark.parametrize(
    "content",
    [
        {"mimeType": "image/png", "text": b64encode(b"\x89PNG").decode(), "encoding": "base64"},
        {"mimeType": "text/plain", "text": "a", "encoding": "base64"},
        {"mimeType": "text/plain", "text": b64encode(b"a\xff").decode(), "encoding": "base64"},
        {"mimeType": "image/svg", "text": "<svg>"},
        {"text": "no type, password=abc"},
    ],
)
def test_what_production_does_not_record_is_not_in_the_result(har, content):
    clean, found = one(har, response={"content": content})
    assert clean["response"]["content"].get("text", "") == ""
    assert clean["response"]["content"]["comment"] == "Not recorded by otel-apimetrics."
    assert found == [("response.content.text", "media type")]


def test_a_body_without_a_type_is_read_where_it_looks_like_json(har):
    clean, _ = one(har, response={"content": {"text": '{"pin": 1}'}})
    assert clean["response"]["content"] == {"text": '{"pin": "[REDACTED]"}'}


def test_the_bodies_of_a_sensitive_path_are_not_recorded(har):
    request = {
        "url": "https://x.de/api/log%69n?next=1",
        "postData": {"mimeType": JSON, "text": '{"a":1}', "params": [pair("a", "b")]},
    }
    clean, found = one(har, request=request, response={"content": {"mimeType": JSON, "text": "1"}})
    assert clean["request"]["postData"] == {
        "mimeType": JSON,
        "text": "",
        "comment": "Not recorded by otel-apimetrics.",
    }
    assert clean["response"]["content"]["text"] == ""
    assert {rule for _, rule in found} == {"sensitive path"}


def test_the_policy_may_say_that_no_path_is_sensitive(har, monkeypatch):
    monkeypatch.setenv("OTEL_APIMETRICS_REDACTION_SENSITIVE_PATHS", "off")
    content = {"mimeType": JSON, "text": "1"}
    log, found = har(entry({"url": "https://x.de/login"}, {"content": content}))
    assert log["entries"][0]["response"]["content"] == content
    assert found == []


def test_a_url_that_is_none_is_searched_as_a_path(har):
    request = {"url": "http://[/login", "postData": {"mimeType": JSON, "text": "{}"}}
    clean, found = one(har, request=request)
    assert clean["request"]["postData"]["text"] == ""
    assert found == [("request.postData.text", "sensitive path")]


def test_bodies_may_be_taken_as_cut(har):
    content = {"mimeType": "text/plain", "text": "see ghp_ab"}
    log, found = har(entry(None, {"content": content}), flags=["--truncated"])
    assert log["entries"][0]["response"]["content"]["text"] == "see [REDACTED]"
    assert found == [("response.content.text", "cut")]


def test_what_has_another_form_than_the_format_says_is_masked_all_the_same(har):
    odd = {
        "url": ["pin=1234"],
        "headers": {"password": "abc"},
        "cookies": ["pin=1234", {"name": "a"}],
        "queryString": [{"name": "token"}, "pin=1234"],
        "postData": "pin=1234",
    }
    log, found = har(
        entry(odd, {"content": {"mimeType": JSON, "size": 0}}),
        "pin=1234",
        {"request": "pin=1234", "response": 3},
        entry({"postData": {"params": "pin=1234", "text": ""}}),
    )
    assert "1234" not in json.dumps(log)
    assert "abc" not in json.dumps(log)
    first = log["entries"][0]["request"]
    assert first["headers"] == {"password": "[REDACTED]"}
    assert first["cookies"] == ["pin=[REDACTED]", {"name": "a"}]
    assert log["entries"][1] == "pin=[REDACTED]"
    assert log["entries"][2] == {"request": "pin=[REDACTED]", "response": 3}
    assert log["entries"][3]["request"]["postData"] == {"params": "pin=[REDACTED]", "text": ""}
    assert len(found) == 8


def test_a_member_inside_of_a_body_has_its_own_path(redact):
    data = {"mimeType": JSON, "text": '{"users": [{"pin": 1}]}'}
    done = redact(archive(entry({"postData": data})), "--json")
    (finding,) = json.loads(done.out)["findings"]
    assert finding == {
        "rule": "name:pin",
        "path": "log.entries[0].request.postData.text",
        "member": "users[0].pin",
        "line": 1,
        "column": 21,
        "mark": "[REDACTED]",
    }


def test_the_listing_names_each_part(redact):
    request = {"headers": [pair("X-Api-Key", "abcdefghijk")]}
    response = {"content": {"mimeType": "image/png", "text": "x"}}
    out = redact(archive(entry(request, response))).out
    assert (
        "log.entries[0].request.headers[0].value (X-Api-Key)\n"
        "- ab…\n"
        "+ [REDACTED]  ← header:x-api-key\n" in out
    )
    assert (
        "log.entries[0].response.content.text\n  Nothing of it is recorded.  ← media type\n" in out
    )


def test_a_header_that_is_removed_has_no_line_for_what_is_left(redact):
    done = redact(
        archive(entry({"headers": [pair("X-Api-Key", "abcdefghijk")]})), "--mask", "remove"
    )
    assert "(X-Api-Key)\n- ab…  ← header:x-api-key\n\nRule" in done.out


def test_a_secret_is_looked_for_in_every_part(redact):
    content = {"mimeType": JSON, "text": '{"a": "canary%2D7"}'}
    text = archive(entry({"method": "canary-7"}, {"content": content}))
    done = redact(text, "--secret", "canary-7")
    assert done.code == 1
    assert "--secret 1 is LEFT: log.entries[0].request.method, line 1, column 1\n" in done.out
    there = "log.entries[0].response.content.text, a, line 1, column 8"
    assert f"--secret 1 is LEFT: {there}\n" in done.out


def test_a_secret_in_the_name_of_a_member_of_the_archive_is_found(redact):
    done = redact(archive(entry(**{"canary-7": 1})), "--secret", "canary-7")
    assert done.code == 1
    assert "--secret 1 is LEFT: line " in done.out
    assert "canary" not in done.out


@pytest.mark.parametrize("text", ["{", "[]", '{"log": {}}', '{"log": {"entries": 1}}'])
def test_what_is_no_archive_is_refused_with_a_remedy(redact, text):
    done = redact(text, "--type", "har")
    assert done.code == 2
    assert done.err.startswith("otel-apimetrics redact-test: -: this is no HTTP Archive, ")
    assert "HAR with content" in done.err


def test_members_beside_the_log_stay_and_are_masked(redact):
    done = redact(json.dumps({"log": {"entries": []}, "note": "pin=1234"}), "--json")
    assert json.loads(json.loads(done.out)["result"]) == {
        "log": {"entries": []},
        "note": "pin=[REDACTED]",
    }
