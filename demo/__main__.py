"""The whole path in one command: `python -m demo`, or `make demo`.

Starts a receiver of OTLP (the Collector of `collector-config/` where Go is, else
`otel_apimetrics.gateway`), the example API of `examples/flask_app` under
`opentelemetry-instrument`, sends it real traffic, stops both, and shows what left the
process. Loopback only; ends by itself, unless `--keep` asks it to stay for a look at the scrapes.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CONFIG = ROOT / "collector-config"
PASSWORD = "correct horse battery staple"
"""What `examples/traffic.py` logs in with."""
WAIT = 30.0
"""Seconds that a process has to answer its first request."""


def main() -> int:
    """Run the demo; 1 where a part of it does not start, or the password has left."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="let the API run until Ctrl+C")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="apimetrics-demo-") as folder:
        lines = Path(folder, "otlp.jsonl")
        try:
            with ExitStack() as running:
                endpoint = running.enter_context(receiver(lines, Path(folder)))
                app, metrics = running.enter_context(api(endpoint, Path(folder)))
                say(f"Sending traffic to {app}")
                run([sys.executable, str(ROOT / "examples" / "traffic.py"), app])
                say(f"Prometheus scrapes {metrics}: {scraped(metrics)} requests, of both workers")
                if keep:
                    wait_for_user(metrics)
                say("Stopping the API, so that its workers export what they hold")
        except DemoError as error:
            print(error, file=sys.stderr)
            return 1
        print(flush=True)
        view = [sys.executable, str(ROOT / "demo" / "view.py"), str(lines)]
        status = subprocess.run(view, check=False).returncode
        if status:
            print(tail(Path(folder, "API.log")), file=sys.stderr)
            return status
        leaks = lines.read_text(errors="replace").count(PASSWORD)
        print(f'Clients logged in with "{PASSWORD}"; it left the process {leaks} times.')
        return int(leaks > 0)


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens loopback without asking a proxy."""


class DemoError(Exception):
    """A part of the demo did not start; the message says which, and where it wrote why."""


@contextmanager
def receiver(lines: Path, folder: Path) -> Iterator[str]:
    """Run something that takes OTLP/HTTP and writes it to `lines`; give its endpoint."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    binary = collector_binary()
    if binary is None:
        say("Starting the receiver of otel_apimetrics.gateway (with Go it is the Collector)")
        command = [sys.executable, "-m", "otel_apimetrics.gateway"]
        command += ["--port", str(port), "--file", str(lines)]
        environment, health = {}, f"{endpoint}/v1/traces"
    else:
        say("Starting the Collector")
        command = [binary, "--config", str(CONFIG / "collector.yaml")]
        health_port = free_port()
        environment = {
            "OTELCOL_FILE": str(lines),
            "OTELCOL_HTTP_PORT": str(port),
            "OTELCOL_GRPC_PORT": str(free_port()),
            "OTELCOL_PROMETHEUS_PORT": str(free_port()),
            "OTELCOL_HEALTH_PORT": str(health_port),
            "OTELCOL_TELEMETRY_PORT": str(free_port()),
        }
        health = f"http://127.0.0.1:{health_port}"
    with process("receiver", command, environment, folder, health):
        yield endpoint


def collector_binary() -> str | None:
    """Give the Collector's path, built once; `None` where it cannot be built here."""
    if shutil.which("go") is None:
        return None
    say("Looking for the Collector (built once, about four minutes; then it is cached)")
    built = subprocess.run(
        ["sh", str(CONFIG / "build.sh")], stdout=subprocess.PIPE, text=True, check=False
    )
    return built.stdout.strip() if built.returncode == 0 else None


@contextmanager
def api(endpoint: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Run the example API under `opentelemetry-instrument`; give its address and its scrape URL."""
    address, scrape_port = f"127.0.0.1:{free_port()}", free_port()
    environment = {
        "OTEL_SERVICE_NAME": "orders",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp,apimetrics_prometheus",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(scrape_port),
        "OTEL_EXPORTER_PROMETHEUS_DIRECTORY": str(folder / "metrics"),
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64",
        "OTEL_APIMETRICS_CAPTURE_BODY": "all",
        "OTEL_APIMETRICS_IDENTIFY": "header:x-client",
        # The demo's own question whether the API is up.
        "OTEL_APIMETRICS_EXCLUDED_USER_AGENTS": "^Python-urllib/",
        # What is shown is the plugin alone, whatever else this environment has installed.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": others(),
    }
    say("Starting examples/flask_app: opentelemetry-instrument gunicorn -w 2 app:app")
    command = [str(BIN / "opentelemetry-instrument"), str(BIN / "gunicorn")]
    command += ["-w", "2", "-b", address, "--log-level", "warning"]
    command += ["--chdir", str(ROOT / "examples" / "flask_app"), "app:app"]
    with process("API", command, environment, folder, f"http://{address}/healthz"):
        yield f"http://{address}", f"http://127.0.0.1:{scrape_port}/metrics"


def scraped(url: str) -> int:
    """Give the number of requests that a scrape shows."""
    try:
        with _direct.open(url, timeout=WAIT) as answer:
            text = answer.read().decode()
    except OSError as error:
        raise DemoError(f"{url} cannot be scraped: {error}") from error
    counts = re.findall(r"^apimetrics_requests_total{.*} (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, counts)))


def wait_for_user(url: str) -> None:
    """Return at Ctrl+C."""
    say(f"Try: curl {url}")
    say(f"or:  curl -H 'Accept: application/openmetrics-text' {url}. Ctrl+C goes on")
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def others() -> str:
    """Name every other instrumentation that is installed."""
    from importlib.metadata import entry_points

    names = {point.name for point in entry_points(group="opentelemetry_instrumentor")}
    return ",".join(sorted(names - {"apimetrics"}))


@contextmanager
def process(
    name: str, command: Sequence[str], environment: dict[str, str], folder: Path, url: str
) -> Iterator[None]:
    """Run a program until the block ends; wait until `url` answers anything."""
    log = folder / f"{name}.log"
    # What a shell says to OpenTelemetry, or to a proxy, is not about the demo.
    kept = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith(("OTEL", "GUNICORN")) and not variable.lower().endswith("_proxy")
    }
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, env={**kept, **environment}, stdout=output, stderr=output
        )
        try:
            wait_for(name, running, url, log)
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(WAIT)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def wait_for(name: str, running: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Return once `url` answers; `DemoError` with the program's last words if it does not."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and running.poll() is None:
        if answers(url):
            return
        time.sleep(0.1)
    raise DemoError(f"The {name} did not start:\n{tail(log)}")


def tail(log: Path) -> str:
    """Give a program's last words."""
    return log.read_text(errors="replace")[-2_000:] if log.exists() else ""


def answers(url: str) -> bool:
    """Tell whether somebody answers there, whatever the status."""
    try:
        with _direct.open(url, timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def run(command: Sequence[str]) -> None:
    """Run a program to its end."""
    if subprocess.run(command, check=False).returncode:
        raise DemoError(f"{' '.join(command)} failed.")


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(line: str) -> None:
    """Tell what happens: some of it takes a while."""
    print(f"demo: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
