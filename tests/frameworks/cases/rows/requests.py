"""What a request says before its body: method, target, headers, addresses (cases 18 to 22, 28 to
30, 39, 40)."""

from __future__ import annotations

from typing import Any

from tests.frameworks.cases.row import ABSENT, ANY, ASGI, WSGI, Record, Request, Row

IN_PROCESS = frozenset({"in-process"})
BOTH = WSGI | ASGI
_TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3


_DEFAULT = Record()


def _ask(
    case: int, name: str, request: Request, record: Record | None = _DEFAULT, **more: Any
) -> Row:
    return Row(case=case, name=name, requests=(request,), records=(record,), **more)


def _path(name: str, target: str, path: Any, **more: Any) -> Row:
    record = Record(
        status=ANY, response_body=ANY, response_size=ANY, error=ANY, route=ANY,
        attributes={"url.path": path},
    )  # fmt: skip
    return _ask(19, name, Request(target=target, **more), record, refusable=False)


def _client(name: str, address: Any, *headers: tuple[str, str], **more: Any) -> Row:
    record = Record(attributes={"client.address": address})
    return _ask(28, name, Request(headers=headers), record, **more)


def _peer(name: str, peer: str | None, address: Any) -> Row:
    return _ask(
        29,
        name,
        Request(),
        Record(attributes={"client.address": address}),
        environ={"REMOTE_ADDR": peer or ""},
        scope={"client": None if peer is None else (peer, 50_000)},
        on=IN_PROCESS,
    )


def _host(name: str, host: str | None, address: Any, **more: Any) -> Row:
    return _ask(
        30,
        name,
        Request(host=host, version="1.0" if host is None else "1.1"),
        Record(attributes={"server.address": address, **more}),
        refusable=True,
    )


ROWS = (
    _ask(
        18,
        "odd-header-bytes",
        Request(headers=(("X-Caf", b"caf\xe9"), ("X-Utf", "café".encode()), ("X-Empty", ""))),
        Record(attributes={"http.request.header.x-utf": ["café"]}),
        refusable=True,
    ),
    _ask(
        18,
        "underscores-in-header-names",
        Request(headers=(("X_Foo", "1"), ("X-Foo", "2"))),
        refusable=True,
    ),
    _ask(
        17,
        "request-headers-given-twice",
        Request(headers=(("X-A", "1"), ("X-A", "2"))),
        Record(attributes={"http.request.header.x-a": ["1", "2"]}),
        but={"any-wsgi": {"attributes": {"http.request.header.x-a": ["1,2"]}}},
    ),
    _path("an-escaped-slash", "/items%2F7", "/items%2F7"),
    _path("slashes-side-by-side", "//items//7", "//items//7"),
    _path("dots", "/a/../text", "/a/../text"),
    _path("bytes-that-are-no-utf-8", "/caf%E9", "/caf%E9"),
    _path("bytes-that-are-utf-8", "/caf%C3%A9", "/caf%C3%A9"),
    _path("a-bad-escape", "/%zz", "/%zz"),
    _path("a-very-long-path", "/" + "x" * 3000, "/" + "x" * 2047),
    _path("an-absolute-target", "http://api.example/text?a=1", ANY),
    _path("a-star", "*", ANY, method="OPTIONS"),
    _ask(
        20,
        "a-method-nobody-knows",
        Request(method="BREW"),
        Record(
            status=ANY, response_body=ANY, response_size=ANY,
            attributes={
                "http.request.method": "_OTHER", "http.request.method_original": "BREW",
            },
        ),
    ),
    _ask(
        20,
        "a-method-in-lower-case",
        Request(method="get"),
        Record(
            status=ANY, response_body=ANY, response_size=ANY,
            attributes={"http.request.method": "_OTHER"},
        ),
        refusable=True,
    ),
    _ask(
        20,
        "a-method-of-3-kb",
        Request(method="X" * 3000),
        Record(
            status=ANY, response_body=ANY, response_size=ANY, error=ANY,
            attributes={"http.request.method": "_OTHER"},
        ),
        refusable=True,
    ),
    _ask(21, "a-path-nobody-has", Request(target="/wp-login.php"),
         Record(status=404, response_body=ANY, route=None)),
    _ask(21, "a-method-the-route-has-not", Request(method="DELETE", target="/items/7"),
         Record(status=ANY, response_body=ANY, route=ANY)),
    _ask(
        21,
        "a-preflight",
        Request(
            method="OPTIONS",
            target="/text",
            headers=(("Origin", "http://a.example"), ("Access-Control-Request-Method", "GET")),
        ),
        Record(status=ANY, response_body=ANY, response_size=ANY),
    ),
    _ask(22, "a-route-with-a-parameter", Request(target="/items/7"),
         Record(route="item", attributes={"apimetrics.consumer.id": "owner-7"})),
    _ask(22, "a-route-below-a-mount", Request(target="/api/v1/items/7"), Record(route="api item")),
    _ask(
        22,
        "an-app-below-a-prefix",
        Request(target="/app/items/7"),
        Record(route=ANY),
        environ={"SCRIPT_NAME": "/app", "PATH_INFO": "/items/7"},
        scope={"root_path": "/app"},
        on=IN_PROCESS,
    ),
    _ask(23, "an-app-instrumented-three-times", Request(target="/twice/items/7"),
         Record(attributes={"apimetrics.consumer.id": "owner-7"})),
    _ask(23, "an-error-of-an-app-instrumented-three-times", Request(target="/twice/raise/value"),
         Record(status=500, error="ValueError", response_body=ANY, response_size=ANY,
                secret="hunter2")),
    _client("a-proxy-that-is-trusted", "203.0.113.0", ("X-Forwarded-For", "203.0.113.9")),
    _client("a-leftmost-address-that-is-made-up", "203.0.113.0",
            ("X-Forwarded-For", "198.51.100.7, 203.0.113.9")),
    _client("forwarded-for-on-two-lines", "203.0.113.0",
            ("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", "203.0.113.9")),
    _client("forwarded-for-that-is-junk", "127.0.0.0", ("X-Forwarded-For", "unknown, _hidden, ;;")),
    _client("forwarded-by-rfc-7239", ANY, ("Forwarded", 'for="[2001:db8::1]:4711";proto=https')),
    _client("no-proxy", "127.0.0.0"),
    _peer("an-ipv6-peer", "2001:db8:1:2::3", "2001:db8:1::"),
    _peer("an-ipv4-mapped-peer", "::ffff:203.0.113.9", "203.0.113.0"),
    _peer("a-peer-with-a-zone", "fe80::1%eth0", ANY),
    _peer("no-peer", None, ABSENT),
    _ask(29, "an-ipv6-host", Request(host="[::1]:8000"),
         Record(attributes={"server.address": "::1", "server.port": 8000})),
    _host("no-host", None, ABSENT),
    _host("two-hosts-in-one", "a, b", ABSENT),
    _host("a-port-that-is-junk", "api.example:abc", ANY),
    _host("a-port-that-is-too-big", "api.example:99999", ANY),
    _host("an-empty-host", "", ABSENT),
    _ask(39, "a-health-check", Request(target="/health"), None),
    _ask(40, "a-token-in-the-path", Request(target=f"/reset/{_TOKEN}"),
        Record(response_body=None, secret=_TOKEN)),
    _ask(40, "a-token-in-the-query", Request(target="/text?token=hunter2&a=1"),
         Record(secret="hunter2")),
    _ask(40, "a-signed-url", Request(target="/text?X-Amz-Signature=abcdef0123456789&Expires=1"),
         Record(secret="abcdef0123456789")),
    _ask(40, "a-password-in-the-url", Request(target="http://joe:hunter2@api.example/text"),
         Record(status=ANY, response_body=ANY, response_size=ANY, secret="hunter2"),
         refusable=True),
    _ask(40, "basic-credentials", Request(headers=(("Authorization", "Basic am9lOmh1bnRlcjI="),)),
         Record(secret="am9lOmh1bnRlcjI")),
)  # fmt: skip
