"""The URL of a request: as it was sent, and as any reader takes it."""

import pytest

from otel_apimetrics.exchange import Request
from otel_apimetrics.exporters.addresses import (
    authority,
    host_header,
    origin,
    strict_url,
    url_as_sent,
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"host": "api.example", "port": 80}, "http://api.example/"),
        ({"host": "api.example", "port": 8080, "path": "/a%20b", "query": "x=1&x=2"}, "http://api.example:8080/a%20b?x=1&x=2"),
        ({"scheme": "https", "host": "api.example", "port": 443}, "https://api.example/"),
        ({"scheme": "https", "host": "api.example", "port": 80}, "https://api.example:80/"),
        ({"scheme": "ws", "host": "api.example", "port": 80, "path": "/feed"}, "ws://api.example/feed"),
        ({"scheme": "wss", "host": "api.example", "port": 443, "path": "/feed"}, "wss://api.example/feed"),
        ({"host": "2001:db8::1", "port": 8000}, "http://[2001:db8::1]:8000/"),
        ({"host": "[fe80::1%eth0]"}, "http://[fe80::1]/"),
        ({"local_address": "10.0.0.7", "port": 81}, "http://10.0.0.7:81/"),
        ({}, "http://localhost/"),
        ({"method": "OPTIONS", "host": "h", "path": "*"}, "http://h/*"),
    ],
)  # fmt: skip
def test_both_forms_agree_where_all_characters_have_their_place(asked, expected):
    request = Request(**{"method": "GET", **asked})
    assert url_as_sent(request) == strict_url(request) == expected
    assert expected.startswith(origin(request))
    assert origin(request).endswith(authority(request))


def test_they_part_where_a_client_sent_what_has_no_place_in_a_url():
    request = Request(method="GET", host="h", path="/50%", query="ids[]=1&p=[REDACTED]")
    assert url_as_sent(request) == "http://h/50%?ids[]=1&p=[REDACTED]"
    assert strict_url(request) == "http://h/50%25?ids%5B%5D=1&p=%5BREDACTED%5D"


def test_a_host_cannot_begin_another_part_of_the_url():
    request = Request(method="GET", host='a/b?c"d@e')
    assert authority(request) == "a%2Fb%3Fc%22d%40e"


def test_the_host_header_goes_before_the_servers_idea_of_it():
    request = Request(method="GET", host="inner", port=8000, headers=(("host", "API.example:81"),))
    assert host_header(request) == "api.example:81"
    assert host_header(Request(method="GET", host="Inner", port=8000)) == "inner:8000"
