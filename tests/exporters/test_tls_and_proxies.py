"""Certificates and proxies, as users of `requests` know them: a vendor over TLS, behind a tunnel."""

import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from otel_apimetrics import ConfigError
from otel_apimetrics.exchange import Consumer, Exchange, Request, Response
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.metlo import MetloSpanExporter
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.readme import ReadMeSpanExporter
from otel_apimetrics.exporters.sender import Sender
from tests.exporters.authority import Authority
from tests.exporters.sink import Sink, sink
from tests.exporters.tunnel import Tunnel, tunnel

pytestmark = [
    pytest.mark.needs("openssl"),
    pytest.mark.usefixtures("quick", "bare_environment"),
]

NAMED = "https://vendor.example"
"""No resolver knows it: what arrives came through a proxy."""
PARCEL = Parcel("/v1/events", b"[]")
LONG, SHORT = 20.0, 0.2
"""Seconds for what arrives, and for what never does."""


@pytest.fixture
def bare_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where Apitally's ids are kept
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def vendor(authority) -> Iterator[Sink]:
    with sink(authority.server_context()) as made:
        yield made


@pytest.fixture
def proxy(vendor) -> Iterator[Tunnel]:
    with tunnel(vendor.port) as made:
        yield made


@pytest.fixture
def trusted(authority, bare_environment, monkeypatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))


def sent(url: str, seconds: float = LONG) -> bool:
    sender = Sender("vendor", url, headers={"Authorization": "Basic a2V5Og=="})
    return sender.send(PARCEL, Patience(seconds)).taken


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_private_authority_is_trusted_where_the_environment_names_its_certificate(
    vendor, authority, variable, monkeypatch
):
    monkeypatch.setenv(variable, str(authority.bundle))
    assert sent(vendor.url)
    assert vendor.received[0].headers["authorization"] == "Basic a2V5Og=="


VENDORS = {
    "moesif": lambda **more: MoesifSpanExporter(
        application_id="app", dynamic_sampling=False, **{"base_uri": NAMED, **more}
    ),
    "metlo": lambda **more: MetloSpanExporter(api_key="metlo.key", **{"host": NAMED, **more}),
    "readme": lambda **more: ReadMeSpanExporter(api_key="key", **{"url": NAMED, **more}),
    "apitally": lambda **more: ApitallySpanExporter(
        write_token="apt_" + "a" * 24, **{"endpoint": NAMED, **more}
    ),
    "apitally before 1.0": lambda **more: ApitallySpanExporter(
        client_id="76b5cb91-a0a4-4ea0-a894-57d2b9fcb2c9", **{"endpoint": NAMED, **more}
    ),
}


def tell(exporter: Any) -> None:
    exchange = Exchange(
        id="0" * 32,
        request=Request(method="GET", host="h"),
        response=Response(status=200),
        consumer=Consumer(id="acme"),
    )
    assert exporter.export_exchanges([exchange])
    exporter.shutdown()


@pytest.mark.parametrize("name", VENDORS)
def test_an_exporters_own_certificate_goes_before_that_of_the_environment(
    vendor, proxy, authority, name, tmp_path_factory, monkeypatch
):
    other = Authority(tmp_path_factory.mktemp("other"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.bundle))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    tell(VENDORS[name](certificate=authority.bundle))
    assert vendor.received[-1].status == 200


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_read_is_an_error_that_says_so(name, content, tmp_path):
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"authority\.pem.*use a file with the certificate"):
        VENDORS[name](certificate=str(path))


def test_a_stranger_gets_nothing_and_one_line_says_how_to_trust_it(vendor, caplog):
    assert not sent(vendor.url, SHORT)
    assert vendor.received == []
    (line,) = [record.getMessage() for record in caplog.records]
    assert "SSLError" in line
    assert "REQUESTS_CA_BUNDLE" in line


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_not_taken(vendor):
    assert sent(vendor.url)
    assert not sent(f"https://localhost:{vendor.port}", SHORT)
    assert len(vendor.received) == 1


def test_a_bundle_that_is_not_there_is_said_and_nothing_is_sent(
    vendor, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    assert not sent(vendor.url, SHORT)
    assert vendor.received == []
    (line,) = [record.getMessage() for record in caplog.records]
    assert "REQUESTS_CA_BUNDLE" in line


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_tls_goes_through_the_tunnel_of_a_proxy_which_sees_no_more_than_the_host(
    vendor, proxy, variable, monkeypatch
):
    monkeypatch.setenv(variable, proxy.url)
    assert sent(NAMED)
    assert proxy.asked == ["vendor.example:443"]
    assert "authorization" not in proxy.headers[0]
    (request,) = vendor.received
    assert (request.path, request.headers["host"]) == ("/v1/events", "vendor.example")
    assert request.headers["authorization"] == "Basic a2V5Og=="


@pytest.mark.usefixtures("trusted")
def test_a_proxy_for_plain_http_leaves_tls_alone(vendor, proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert sent(vendor.url)
    assert proxy.asked == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("exempt", ["127.0.0.1", "127.0.0.0/8", "other.example, 127.0.0.1", "*"])
def test_what_no_proxy_exempts_is_sent_directly(vendor, proxy, exempt, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", exempt)
    assert sent(vendor.url)
    assert proxy.asked == []
    assert len(vendor.received) == 1


@pytest.mark.usefixtures("trusted")
def test_what_no_proxy_does_not_exempt_goes_through_the_proxy(vendor, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "other.example, 10.0.0.0/8")
    assert sent(vendor.url)
    assert proxy.asked == [f"127.0.0.1:{vendor.port}"]


@pytest.mark.usefixtures("trusted")
def test_credentials_of_a_proxy_are_for_the_proxy_alone(vendor, monkeypatch, caplog):
    with tunnel(vendor.port, credentials="Basic bWU6c2VjcmV0") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy.authority}")
        assert sent(NAMED)
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:stale-secret@{proxy.authority}")
        assert not sent(NAMED, SHORT)
    assert len(vendor.received) == 1
    assert "proxy-authorization" not in vendor.received[0].headers
    (line,) = [record.getMessage() for record in caplog.records]
    assert "HTTPS_PROXY" in line
    assert "secret" not in line


def test_a_proxy_does_not_make_a_stranger_trusted(vendor, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert not sent(NAMED, SHORT)
    assert set(proxy.asked) == {"vendor.example:443"}
    assert vendor.received == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", VENDORS)
def test_each_exporter_reaches_its_vendor_behind_a_proxy(vendor, proxy, name, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    tell(VENDORS[name]())
    assert vendor.received[-1].status == 200
    assert vendor.received[-1].body
    assert set(proxy.asked) == {"vendor.example:443"}
