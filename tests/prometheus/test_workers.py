"""Processes that count and meet in a directory: totals never fall, whoever is killed and when."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


class Process:
    """One that does as it is told."""

    numbers = count()

    def __init__(self, commands: IO[str], answers: IO[str], pid: int) -> None:
        self.commands = commands
        self.answers = answers
        self.pid = pid
        self.counted = 0

    def ask(self, *words: object) -> str:
        print(*words, file=self.commands, flush=True)
        answer = self.answers.readline()
        assert answer, "it has ended"
        return answer.strip()

    def count(self, number: int) -> None:
        self.ask("count", number)
        self.counted += number

    def scrape(self) -> tuple[float, float]:
        total, is_open = map(float, self.ask("scrape").split())
        return total, is_open

    def fork(self, directory: Path, way: str = "python") -> Process:
        pipes = directory / f"pipes-{next(self.numbers)}"
        for side in ("in", "out"):
            os.mkfifo(f"{pipes}.{side}")
        pid = int(self.ask("fork", pipes, way))
        return Process(Path(f"{pipes}.in").open("w"), Path(f"{pipes}.out").open(), pid)

    def kill(self) -> None:
        self._end(lambda: os.kill(self.pid, signal.SIGKILL))

    def end(self) -> None:
        self._end(lambda: print("end", file=self.commands, flush=True))

    def _end(self, how) -> None:
        descriptor = os.pidfd_open(self.pid)
        try:
            how()
            assert select.select([descriptor], [], [], 60)[0]
        finally:
            os.close(descriptor)
        self.commands.close()
        self.answers.close()


@pytest.fixture(scope="module")
def template() -> Iterator[Process]:
    """A process that has loaded all, of which each test forks its first one."""
    popen = subprocess.Popen(
        [sys.executable, "-m", "tests.prometheus.counting_process"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield Process(popen.stdin, popen.stdout, popen.pid)
    popen.communicate()


@pytest.fixture
def first(template: Process, tmp_path: Path) -> Iterator[Process]:
    process = template.fork(tmp_path)
    process.ask("meet", tmp_path / "workers")
    yield process
    if not process.commands.closed:
        process.kill()


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("way", ["python", "c"])
def test_what_was_counted_before_a_fork_is_counted_once(first: Process, tmp_path: Path, way: str):
    first.count(5)
    children = [first.fork(tmp_path, way) for _ in range(2)]
    try:
        assert {one.scrape() for one in (first, *children)} == {(5, 5)}
        for at, child in enumerate(children, 1):
            child.count(10**at)
        assert {one.scrape() for one in (first, *children)} == {(115, 115)}
        first.kill()
        assert children[0].scrape() == (115, 110)
    finally:
        for child in children:
            child.kill()


def test_a_child_that_counts_nothing_is_nobody(first: Process, tmp_path: Path):
    first.count(5)
    child = first.fork(tmp_path)
    try:
        assert first.scrape() == (5, 5)
        assert len(list((tmp_path / "workers").glob("*.live"))) == 1
    finally:
        child.end()
    assert first.scrape() == (5, 5)


def test_a_child_holds_nothing_of_a_parent_that_is_killed(first: Process, tmp_path: Path):
    first.count(5)
    child = first.fork(tmp_path)
    first.scrape()
    first.kill()
    try:
        # Its socket is not kept open by the child, its lock neither.
        assert child.scrape() == (5, 0)
        assert len(list((tmp_path / "workers").glob("*.live"))) == 1
    finally:
        child.kill()


def test_those_that_have_ended_are_one_file_and_stay_counted(first: Process, tmp_path: Path):
    for number in (1, 2, 3):
        child = first.fork(tmp_path)
        child.count(number)
        if number == 2:
            child.end()
        else:
            assert first.scrape()[0] == child.scrape()[0]
            child.kill()
    assert [first.scrape() for _ in range(3)] == [(6, 0)] * 3
    left = sorted(path.suffix for path in (tmp_path / "workers").iterdir())
    assert left == [".live", ".lock", ".numbers", ".numbers", ".sock"]


@pytest.mark.parametrize("kept", [".numbers", ".live"])
def test_one_that_was_stopped_while_it_tidied_up_counts_nobody_twice(
    kept: str, first: Process, tmp_path: Path
):
    child = first.fork(tmp_path)
    child.count(4)
    assert first.scrape() == (4, 4)
    (file,) = (tmp_path / "workers").glob(f"0-{child.pid}-*{kept}")
    before = file.read_bytes()
    child.kill()
    assert first.scrape() == (4, 0)
    file.write_bytes(before)
    (tmp_path / "workers" / "ended-0.1.new").write_bytes(b"unfinished")
    assert [first.scrape() for _ in range(3)] == [(4, 0)] * 3
    assert not file.exists()
    assert not list((tmp_path / "workers").glob("*.new"))


def test_a_path_that_is_too_long_for_a_socket_is_none_for_us(template: Process, tmp_path: Path):
    directory = tmp_path / ("long" * 30)
    process = template.fork(tmp_path)
    try:
        process.ask("meet", directory)
        child = process.fork(tmp_path)
        try:
            child.count(3)
            assert process.scrape() == (3, 3)
            child.count(1)
            assert process.scrape() == (4, 4), "by its socket"
        finally:
            child.kill()
    finally:
        process.kill()


def test_a_child_that_cannot_take_part_counts_for_itself_and_the_others_go_on(
    first: Process, tmp_path: Path
):
    first.count(5)
    child = first.fork(tmp_path)
    (tmp_path / "workers").rename(tmp_path / "elsewhere")
    (tmp_path / "workers").touch()
    try:
        child.count(3)
        (tmp_path / "workers").unlink()
        (tmp_path / "elsewhere").rename(tmp_path / "workers")
        assert first.scrape() == (5, 5)
    finally:
        child.kill()


def test_a_directory_that_is_emptied_makes_all_begin_again_together(first: Process, tmp_path: Path):
    first.count(5)
    child = first.fork(tmp_path)
    try:
        child.count(3)
        assert first.scrape() == (8, 8)
        for path in (tmp_path / "workers").iterdir():
            path.unlink()
        first.count(1)
        child.count(2)
        first.scrape()
        assert child.scrape()[0] == first.scrape()[0] == 3
    finally:
        child.kill()


def test_a_directory_that_is_taken_away_makes_all_begin_again_together(
    first: Process, tmp_path: Path
):
    first.count(5)
    child = first.fork(tmp_path)
    try:
        child.count(3)
        assert first.scrape() == (8, 8)
        shutil.rmtree(tmp_path / "workers")
        assert first.scrape()[0] == 0
        first.count(1)
        child.count(2)
        deadline = time.monotonic() + 60
        while first.scrape()[0] != 3:
            assert time.monotonic() < deadline, "nobody has asked the child, which sees it itself"
            time.sleep(0.02)
        assert child.scrape()[0] == 3
        child.kill()
        assert first.scrape()[0] == 3
    finally:
        if not child.commands.closed:
            child.kill()


def test_a_silent_process_is_told_of_as_it_was_last(first: Process, tmp_path: Path):
    first.count(5)
    child = first.fork(tmp_path)
    try:
        child.count(3)
        assert first.scrape() == (8, 8)
        child.count(1)
        os.kill(child.pid, signal.SIGSTOP)
        while state(child.pid) != "T":
            time.sleep(0.001)
        assert first.scrape() == (8, 8)
        os.kill(child.pid, signal.SIGCONT)
        assert child.scrape() == (9, 9)
    finally:
        child.kill()


def test_what_a_reader_counted_that_is_shut_down_stays_counted(first: Process, tmp_path: Path):
    first.count(5)
    child = first.fork(tmp_path)
    try:
        child.count(3)
        child.ask("shut")
        assert [
            path for path in (tmp_path / "workers").iterdir() if str(child.pid) in path.name
        ] == []
        assert first.scrape() == child.scrape() == (8, 5)
        first.count(1)
        assert first.scrape() == child.scrape() == (9, 6)
    finally:
        child.kill()
    assert first.scrape() == (9, 6)
    first.ask("shut")
    assert first.scrape() == (9, 0)
    grandchild = first.fork(tmp_path)
    assert grandchild.scrape() == (9, 0)
    grandchild.kill()


def test_no_total_shows_what_could_not_be_written_down(first: Process, tmp_path: Path):
    first.count(5)
    child, other = first.fork(tmp_path), first.fork(tmp_path)
    try:
        child.count(3)
        assert first.scrape() == (8, 8)
        child.ask("disk", "full")
        child.count(20)
        assert first.scrape() == child.scrape() == (8, 28), "what is in flight is no total"
        child.ask("disk", "free")
        assert first.scrape() == (28, 28)
        child.ask("disk", "full")
        child.count(40)
        other.ask("disk", "full")
        other.count(80)
        assert child.scrape() == other.scrape() == (28, 148)
        child.kill()
        assert other.scrape() == (28, 85)
        other.ask("disk", "free")
        assert other.scrape() == (108, 85)
    finally:
        for process in (child, other):
            if not process.commands.closed:
                process.kill()
    assert first.scrape() == (108, 5)


def test_those_that_have_ended_stay_counted_though_nothing_can_be_put_down(
    first: Process, tmp_path: Path
):
    child = first.fork(tmp_path)
    child.count(3)
    assert first.scrape() == (3, 3)
    first.ask("disk", "full")
    child.kill()
    assert [first.scrape() for _ in range(2)] == [(3, 0)] * 2
    files = {path.name for path in (tmp_path / "workers").iterdir()}
    assert not [name for name in files if name.endswith(".new") or name.startswith("ended")]
    first.ask("disk", "free")
    assert [first.scrape() for _ in range(2)] == [(3, 0)] * 2
    assert (tmp_path / "workers" / "ended-0.numbers").exists()


def test_whatever_the_order_of_kills_scrapes_and_forks_no_total_falls_or_is_counted_twice(
    template: Process,
):
    class Workers(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.folder = tempfile.TemporaryDirectory()
            self.directory = Path(self.folder.name)
            self.live = [template.fork(self.directory)]
            self.live[0].ask("meet", self.directory / "workers")
            self.shown = 0.0
            self.ended = self.killed = 0

        @rule(at=st.integers(0, 9), number=st.integers(1, 9))
        def count(self, at: int, number: int) -> None:
            self.live[at % len(self.live)].count(number)

        @precondition(lambda self: len(self.live) < 4)
        @rule(at=st.integers(0, 9), way=st.sampled_from(["python", "c"]))
        def fork(self, at: int, way: str) -> None:
            self.live.append(self.live[at % len(self.live)].fork(self.directory, way))

        @precondition(lambda self: len(self.live) > 1)
        @rule(at=st.integers(0, 9))
        def kill(self, at: int) -> None:
            process = self.live.pop(at % len(self.live))
            process.kill()
            self.killed += process.counted

        @precondition(lambda self: len(self.live) > 1)
        @rule(at=st.integers(0, 9))
        def end(self, at: int) -> None:
            process = self.live.pop(at % len(self.live))
            process.ask("disk", "free")
            process.end()
            self.ended += process.counted

        @rule(at=st.integers(0, 9))
        def fill_the_disk(self, at: int) -> None:
            self.live[at % len(self.live)].ask("disk", "full")

        @rule(at=st.integers(0, 9))
        def scrape_as_it_is(self, at: int) -> None:
            total, _ = self.live[at % len(self.live)].scrape()
            assert self.shown <= total
            self.shown = total

        @rule(at=st.integers(0, 9))
        def scrape(self, at: int) -> None:
            for process in self.live:
                process.ask("disk", "free")
            counted = sum(process.counted for process in self.live)
            for _ in range(40):  # a process that is too slow to answer is told of as it was
                total, in_flight = self.live[at % len(self.live)].scrape()
                assert in_flight <= counted
                assert self.shown <= total <= counted + self.ended + self.killed
                self.shown = total
                if total >= counted + self.ended:
                    break
            assert total >= counted + self.ended

        def teardown(self) -> None:
            for process in self.live:
                process.kill()
            self.folder.cleanup()

    run_state_machine_as_test(
        Workers,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
