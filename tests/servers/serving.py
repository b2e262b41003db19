"""Real servers in processes of their own: started by name, on free ports, ended by id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
UWSGI = BIN / "uwsgi"
INHERITED = {
    name: text
    for name, text in os.environ.items()
    if not name.startswith("OTEL") and not name.lower().endswith("_proxy")
}
"""Read once: processes are started from threads, while pytest notes the current test there."""
PATIENCE = 150.0
"""Seconds after which a process that does not start or does not end is taken for broken."""

GRACEFUL = "unix_signal:15 gracefully_kill_them_all"
"""For uWSGI's `hook-master-start`: SIGTERM lets workers finish what they serve."""


@dataclass(frozen=True)
class Process:
    """A server that accepts connections."""

    pid: int
    port: int
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def wait(self) -> None:
        """Wait until the process and all that it has started have ended."""
        deadline = time.monotonic() + PATIENCE
        while _group_lives(self.pid):
            assert time.monotonic() < deadline, f"It does not end.\n{self.tail()}"
            time.sleep(0.02)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-6000:]


def environment(**more: str) -> dict[str, str]:
    """This shell's variables, without what says something to OpenTelemetry or to HTTP clients."""
    return {
        **INHERITED,
        "PATH": f"{BIN}{os.pathsep}{INHERITED.get('PATH', os.defpath)}",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src"))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@contextmanager
def serving(
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str],
    *,
    directory: Path = ROOT,
    end_with: signal.Signals = signal.SIGTERM,
    group: bool = False,
    port: int | None = None,
) -> Iterator[Process]:
    """Run a server until the block ends.

    Args:
        command: "{port}" in it stands for the port.
        log: takes its output.
        env: all of its variables.
        directory: that it runs in.
        end_with: signal at the end of the block.
        group: it goes to every process that was started, as a terminal's does.
        port: that it listens on, a free one by default.
    """
    port = free_port() if port is None else port
    with log.open("wb") as output:
        # A group of its own: workers are found by it, also where their master is gone.
        popen = subprocess.Popen(
            [str(part).format(port=port) for part in command],
            cwd=directory,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0 if sys.version_info >= (3, 11) else None,
            preexec_fn=None if sys.version_info >= (3, 11) else os.setpgrp,
        )
    running = Process(popen.pid, port, log)
    try:
        _wait_until_it_accepts(running, popen)
        yield running
        (os.killpg if group else os.kill)(popen.pid, end_with)
        _reap(popen)
        running.wait()
    finally:
        if _group_lives(popen.pid):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait(PATIENCE)


def uwsgi(*more: str) -> list[str | Path]:
    """The start of a command that runs uWSGI in this Python's environment, gracefully ended."""
    start = ("--http-socket", "127.0.0.1:{port}", "--need-app", "--hook-master-start", GRACEFUL)
    return [UWSGI, "-H", sys.prefix, "--master", *start, *more]


def _wait_until_it_accepts(running: Process, popen: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert popen.poll() is None, f"It has ended.\n{running.tail()}"
        assert time.monotonic() < deadline, f"It does not start.\n{running.tail()}"
        try:
            socket.create_connection(running.address, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


def _reap(popen: subprocess.Popen[bytes]) -> None:
    try:
        popen.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(popen.pid, signal.SIGKILL)
        raise


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
