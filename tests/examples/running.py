"""Runs the commands that the examples' READMEs show, on free ports, and reads what left."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from demo.otlp_lines import Key, Recorded, read
from examples.traffic import Sent, Step, send_step
from tests.ports import free_port

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SERVER_SPAN = 2
"""`SPAN_KIND_SERVER`."""

QUICK = {"OTEL_METRIC_EXPORT_INTERVAL": "250", "OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Milliseconds between two exports: soon enough to be waited for."""

NEVER = {"OTEL_METRIC_EXPORT_INTERVAL": "600000", "OTEL_BSP_SCHEDULE_DELAY": "600000"}
"""Milliseconds that no test lives: what leaves, leaves at the end."""

_HEALTH = Step("", "GET", "/healthz")
_SECONDS = 120.0


class Command(NamedTuple):
    """A command of a README that serves an example."""

    example: str
    line: str
    exports: tuple[str, ...]

    @property
    def id(self) -> str:
        way = "outside" if "opentelemetry-instrument" in self.line else "in code"
        server = "gunicorn" if "gunicorn" in self.line else "uvicorn"
        workers = " asgi" if "-k asgi" in self.line else ""
        return f"{self.example} {way} {server}{workers}"


def blocks(text: str) -> list[str]:
    """The shell blocks of a page."""
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines(text: str) -> list[str]:
    """The lines of all shell blocks of a page."""
    return [line for block in blocks(text) for line in block.splitlines()]


def line_with(example: str, word: str) -> str:
    """The one shell line of an example's README that has this word."""
    page = (EXAMPLES / example / "README.md").read_text()
    (line,) = [line for line in lines(page) if word in line]
    return line


def commands() -> Iterator[Command]:
    """Every command that serves a shop, with the variables set on the page before it."""
    for page in sorted(EXAMPLES.glob("*_app/README.md")):
        first, *sections = re.split(r"^## ", page.read_text(), flags=re.MULTILINE)
        common = [line for line in lines(first) if line.startswith("export ")]
        for section in sections:
            own = [line for line in lines(section) if line.startswith("export ")]
            for line in lines(section):
                if re.search(r"\b(gunicorn|uvicorn) ", line):
                    yield Command(page.parent.name, line, (*common, *own))


COMMANDS = {command.id: command for command in commands()}


def environment(**more: str) -> dict[str, str]:
    """A shell's variables in which the commands of this interpreter come first."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("OTEL") and not name.lower().endswith("_proxy")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


@contextmanager
def process(script: str, directory: Path, log: Path, env: Mapping[str, str]) -> Iterator[int]:
    """Run a script whose last command takes the shell's place; end it with SIGTERM."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            ["sh", "-euc", script],
            cwd=directory,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield running.pid
    finally:
        running.terminate()
        try:
            running.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def wait(what: str, done: Callable[[], Any], log: Path, seconds: float = _SECONDS) -> Any:
    """Call `done` until it returns something; fail with the log."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, f"No {what}.\n{log.read_text()[-5000:]}"
        time.sleep(0.05)
    return found


class Gateway(NamedTuple):
    """The receiver that the READMEs show."""

    port: int
    file: Path

    def since(self, offset: int) -> bytes:
        """What was received after `offset`, whole lines."""
        data = self.file.read_bytes()[offset:]
        return data[: data.rfind(b"\n") + 1]


@contextmanager
def gateway(directory: Path) -> Iterator[Gateway]:
    """The gateway's command line, on a free port."""
    log = directory / "gateway.log"
    script = "exec " + line_with("flask_app", "otel_apimetrics.gateway").replace("4318", "0")
    with process(script, directory, log, environment()):
        said = wait("gateway", lambda: re.search(r"127\.0\.0\.1:([0-9]+)", log.read_text()), log)
        yield Gateway(int(said[1]), directory / "otlp.jsonl")


@contextmanager
def served(
    command: Command, otlp_port: int, log: Path, **variables: str
) -> Iterator[tuple[str, Counter[Sent]]]:
    """Run a command; yield the app's address and the requests that asked if it is up."""
    port = free_port()
    script = "\n".join((*command.exports, f"exec {command.line}"))
    assert "8000" in script
    assert "127.0.0.1:4318" in script
    script = script.replace("8000", str(port)).replace("4318", str(otlp_port))
    url = f"http://127.0.0.1:{port}"
    with process(script, EXAMPLES / command.example, log, environment(**variables)):
        status = wait("app", lambda: health(url), log)
        yield url, Counter({Sent("GET", "/healthz", status, ""): 1})


def health(url: str) -> int | None:
    try:
        return send_step(url, _HEALTH).status
    except (ConnectionError, TimeoutError):
        return None


@dataclass(frozen=True)
class Run:
    """One example, served, used and ended."""

    sent: Counter[Sent]
    bodies: dict[str, bytes]
    """Response bodies of single requests by path."""
    received: bytes
    """All that arrived over OTLP, as OTLP/JSON lines."""
    recorded: Recorded
    log: str

    @property
    def server_spans(self) -> list[dict[str, Any]]:
        return server_spans(self.recorded)


def server_spans(recorded: Recorded) -> list[dict[str, Any]]:
    return [span for span in recorded.spans if span["kind"] == SERVER_SPAN]


def records(data: bytes, directory: Path) -> Recorded:
    """Read OTLP/JSON lines as the demo does."""
    file = directory / "received.jsonl"
    file.write_bytes(data)
    return read(file)


def expected(sent: Counter[Sent], example: str) -> Counter[Key]:
    """The rows that the app shall have recorded for what was sent."""
    plain_wsgi = example == "wsgi_app"
    rows: Counter[Key] = Counter()
    for request, count in sent.items():
        # A plain WSGI app has no templates.
        route = "" if plain_wsgi else request.route
        rows[Key(request.consumer, request.method, route, str(request.status))] += count
    return rows


def with_one_spelling(row: Key) -> Key:
    """Spell the variable part of a template the same for every framework."""
    return row._replace(route=re.sub(r"[<{](?:int:)?order_id[>}]", "{id}", row.route))


def counted(recorded: Recorded) -> Counter[Key]:
    """Requests by row, as the metrics have them."""
    rows: Counter[Key] = Counter()
    for row, point in recorded.requests.items():
        rows[with_one_spelling(row)] += point.count
    return rows


def row_of(span: dict[str, Any]) -> Key:
    """The row that a SERVER span belongs to."""
    attributes = span["attributes"]
    names = (
        "apimetrics.consumer.id",
        "http.request.method",
        "http.route",
        "http.response.status_code",
    )
    return with_one_spelling(Key(*(str(attributes.get(name, "")) for name in names)))
