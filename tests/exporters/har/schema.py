"""What HAR 1.2 demands of an entry: the required fields, types and forms of har-schema 2.0.0.

The npm package har-validator 5.1.5 checks the same; it is not needed to run these tests.
"""

import re
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://([A-Za-z0-9\-._~:\[\]@!$&'()*+,;=/?]|%[0-9A-Fa-f]{2})+")


def check_har(document: Any) -> None:
    log = document["log"]
    assert log["version"] == "1.2"
    assert_strings(log["creator"], "name", "version")
    for entry in log["entries"]:
        check_entry(entry)


def check_entry(entry: Any) -> None:
    assert _DATE.fullmatch(entry["startedDateTime"]), entry["startedDateTime"]
    assert number(entry["time"]) >= 0
    assert isinstance(entry["cache"], dict)
    for part in ("send", "wait", "receive"):
        assert number(entry["timings"][part]) >= -1
    check_request(entry["request"])
    check_response(entry["response"])


def check_request(request: Any) -> None:
    assert_strings(request, "method", "url", "httpVersion")
    assert _URL.fullmatch(request["url"]), request["url"]
    check_message(request)
    check_pairs(request["queryString"])
    if "postData" in request:
        post_data = request["postData"]
        assert_strings(post_data, "mimeType")
        assert not {"text", "params"} <= post_data.keys()
        assert isinstance(post_data.get("text", ""), str)
        for param in post_data.get("params", []):
            assert_strings(param, *param)
            assert (
                {"name"} <= param.keys() <= {"name", "value", "fileName", "contentType", "comment"}
            )


def check_response(response: Any) -> None:
    assert_strings(response, "statusText", "httpVersion", "redirectURL")
    assert isinstance(response["status"], int)
    check_message(response)
    content = response["content"]
    assert_strings(content, "mimeType")
    assert isinstance(content["size"], int)
    assert isinstance(content.get("text", ""), str)


def check_message(message: Any) -> None:
    assert message["headersSize"] >= -1
    assert message["bodySize"] >= -1
    check_pairs(message["headers"])
    check_pairs(message["cookies"])


def check_pairs(pairs: Any) -> None:
    assert isinstance(pairs, list)
    for pair in pairs:
        assert_strings(pair, "name", "value")


def assert_strings(of: Any, *names: str) -> None:
    for name in names:
        assert isinstance(of[name], str), name


def number(value: Any) -> float:
    assert isinstance(value, (int, float))
    assert not isinstance(value, bool)
    return value
