"""The processes that the benchmark starts, and what is said to them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.variants import Variant

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 30.0


def environment() -> dict[str, str]:
    """Give the environment of every process that is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**kept, "PYTHONHASHSEED": "0"}


class _Process:
    """A child that lives until its standard input is closed."""

    def __init__(self, module: str, *arguments: str, python: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.{module}", *arguments],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the child, by force if it does not go."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(_PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            self._process.stdout.close()


class Sink(_Process):
    """The OTLP receiver."""

    def __init__(self) -> None:
        super().__init__("sink")
        self._url = f"http://127.0.0.1:{self._hear()}"

    def endpoint(self, label: str) -> str:
        """Give the base URL of one variant."""
        return f"{self._url}/{label}"

    def take(self, label: str) -> dict[str, int]:
        """Give "spans" and "bytes" of what a variant sent since the last call."""
        with urlopen(f"{self._url}/{label}", timeout=_PATIENCE) as answer:
            taken: dict[str, int] = json.load(answer)
        return taken


class ServedByPipe(_Process):
    """A process that answers a line of JSON to a line of JSON."""

    def __init__(self, module: str, *arguments: str, python: str) -> None:
        super().__init__(module, *arguments, python=python)
        self._hear()

    def ask(self, what: Any) -> Any:
        """Say a line, and give the answer."""
        self._say(json.dumps(what))
        return self._hear()


def order(
    framework: str,
    variant: Variant,
    endpoint: str | None,
    span: dict[str, Any] | None = None,
    *,
    re2: bool = True,
) -> str:
    """Write what a worker is told as it starts."""
    told = {
        "framework": framework,
        "variant": variant.name,
        "endpoint": endpoint,
        "span": span,
        "re2": re2,
    }
    return json.dumps(told)


class Server(_Process):
    """A worker; it starts while its maker goes on."""

    def __init__(
        self,
        framework: str,
        variant: Variant,
        endpoint: str | None,
        span: dict[str, Any] | None = None,
        *,
        re2: bool = True,
    ) -> None:
        super().__init__("worker", order(framework, variant, endpoint, span, re2=re2))
        self._ready = False

    def do(self, what: str, requests: int) -> Any:
        """Have a number of requests served, and give the answer of `Worker.<what>`."""
        if not self._ready:
            self._ready = bool(self._hear())
        self._say(json.dumps({"do": what, "requests": requests}))
        return self._hear()
