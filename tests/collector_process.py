"""A real Collector in a process of its own: built from collector-config/, on loopback ports.

A conftest makes the fixture known with `from tests.collector_process import collector`.
"""

import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.ports import free_port

CONFIG = Path(__file__).resolve().parent.parent / "collector-config"

_BUILD_SECONDS = 15 * 60
_NO_GO = 3
"""build.sh's status where Go is missing or too old."""

_PORTS = ("GRPC", "HTTP", "PROMETHEUS", "HEALTH", "TELEMETRY")
_T = TypeVar("_T")

# Proxy settings of the machine have no say on loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def collector_binary() -> Path:
    """Return the Collector's path, building it first where the cache has none.

    Without a usable Go the test is skipped with the remedy; under CI=true it fails.
    """
    build = subprocess.run(
        [CONFIG / "build.sh"], capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
    )
    if build.returncode == 0:
        return Path(build.stdout.strip())
    reason = build.stderr.strip()
    if build.returncode == _NO_GO and os.environ.get("CI") != "true":
        pytest.skip(f"No Collector. {reason}")
    pytest.fail(f"The Collector cannot be built. {reason}")


class CollectorProcess:
    """A context manager around one running Collector.

    Args:
        directory: for its output file and its log.
        configs: configuration files, merged in this order.
        environment: variables beside those that set ports and the file.
    """

    def __init__(
        self,
        directory: Path,
        *,
        configs: Sequence[Path] = (CONFIG / "collector.yaml",),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.file = directory / "otlp.jsonl"
        self._log = directory / "collector.log"
        self._configs = configs
        self._environment = environment or {}
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def http_endpoint(self) -> str:
        """The base address: an exporter adds /v1/traces."""
        return self._url("HTTP")

    @property
    def grpc_endpoint(self) -> str:
        """With the scheme that tells the stock exporter to go without TLS."""
        return self._url("GRPC")

    @property
    def prometheus_url(self) -> str:
        return self._url("PROMETHEUS") + "/metrics"

    @property
    def telemetry_url(self) -> str:
        """The Collector's metrics about itself."""
        return self._url("TELEMETRY") + "/metrics"

    def __enter__(self) -> "CollectorProcess":  # noqa: PYI034  Self needs Python 3.11
        binary = collector_binary()
        # Between picking a free port and binding it another process may take it.
        for _attempt in range(3):
            self._start(binary)
            if self._healthy():
                return self
            self.__exit__()
        raise AssertionError(f"The Collector does not start:\n{self.log()}")

    def __exit__(self, *_exception: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log(self) -> str:
        """The last part of what the process wrote to stdout and stderr."""
        return self._log.read_text()[-5000:]

    def records(self) -> list[dict[str, Any]]:
        """Each whole line of the file: OTLP/JSON requests of any signal."""
        if not self.file.exists():
            return []
        lines = self.file.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line]

    def spans(self) -> list[dict[str, Any]]:
        """The spans that arrived, with attributes as plain dicts."""
        return [
            _span(span, resource["resource"], scope["scope"])
            for record in self.records()
            for resource in record.get("resourceSpans", ())
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def wait_for_spans(
        self,
        count: int,
        timeout: float = 60.0,
        where: Callable[[dict[str, Any]], bool] = lambda _span: True,
    ) -> list[dict[str, Any]]:
        """Return the spans that satisfy `where`, once there are `count` of them."""
        return self.wait(
            lambda: [span for span in self.spans() if where(span)],
            lambda spans: len(spans) >= count,
            timeout,
        )

    def metrics_text(self) -> str:
        """The Prometheus page."""
        with _opener.open(self.prometheus_url, timeout=10) as response:
            text: str = response.read().decode()
        return text

    def wait(self, read: Callable[[], _T], done: Callable[[_T], bool], timeout: float = 60.0) -> _T:
        """Read until `done` says so; fail with what was read last and the log."""
        deadline = time.monotonic() + timeout
        while not done(value := read()):
            if time.monotonic() > deadline:
                shown = f"{len(value)} items" if isinstance(value, list) else str(value)[-3000:]
                raise AssertionError(f"Waited in vain; last read: {shown}\n{self.log()}")
            time.sleep(0.05)
        return value

    def _url(self, port: str) -> str:
        return f"http://127.0.0.1:{self._ports[port]}"

    def _start(self, binary: Path) -> None:
        self._ports = {name: free_port() for name in _PORTS}
        environment = {
            # Without its own defaults in the way: what a test sees is what the files say.
            **{name: text for name, text in os.environ.items() if not name.startswith("OTEL")},
            **{f"OTELCOL_{name}_PORT": str(port) for name, port in self._ports.items()},
            "OTELCOL_FILE": str(self.file),
            "OTELCOL_BATCH_TIMEOUT": "100ms",
            **self._environment,
        }
        arguments = [f"--config={config}" for config in self._configs]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [binary, *arguments], env=environment, stdout=log, stderr=log
            )

    def _healthy(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + 90
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with _opener.open(self._url("HEALTH"), timeout=2) as response:
                    if response.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        return False


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A Collector with the configuration that we ship, one a module."""
    with CollectorProcess(tmp_path_factory.mktemp("collector")) as process:
        yield process


def plain(value: dict[str, Any]) -> Any:
    """Turn an OTLP/JSON AnyValue into the Python value that it stands for."""
    if "arrayValue" in value:
        return [plain(item) for item in value["arrayValue"].get("values", ())]
    if "kvlistValue" in value:
        return attributes(value["kvlistValue"].get("values", ()))
    if "intValue" in value:
        return int(value["intValue"])
    if "bytesValue" in value:
        return base64.b64decode(value["bytesValue"])
    return next(iter(value.values()), None)


def attributes(pairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Turn OTLP/JSON key-value pairs into a dict."""
    return {pair["key"]: plain(pair["value"]) for pair in pairs}


def _span(span: dict[str, Any], resource: dict[str, Any], scope: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": span.get("name", ""),
        "kind": span.get("kind", 0),
        "traceId": span.get("traceId", ""),
        "spanId": span.get("spanId", ""),
        "parentSpanId": span.get("parentSpanId", ""),
        "attributes": attributes(span.get("attributes", ())),
        "events": [
            {
                "name": event.get("name", ""),
                "time": int(event.get("timeUnixNano", 0)),
                "attributes": attributes(event.get("attributes", ())),
            }
            for event in span.get("events", ())
        ],
        "status": span.get("status", {}),
        "start": int(span.get("startTimeUnixNano", 0)),
        "end": int(span.get("endTimeUnixNano", 0)),
        "resource": attributes(resource.get("attributes", ())),
        "scope": scope.get("name", ""),
    }
