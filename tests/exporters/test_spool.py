"""Parcels that wait on a disk."""

import os
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from otel_apimetrics import _guard
from otel_apimetrics.exporters import spool as module
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.spool import Spool


def parcel(number: int) -> Parcel:
    return Parcel("/v1", b'{"number":%d}\n\x00' % number, (("X-Id", str(number)),), number)


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", "vendor", "https://vendor.example key")


def taken(spool: Spool) -> list[Parcel]:
    found = []
    while True:
        with spool.take() as waiting:
            if waiting is None:
                return found
            found.append(waiting.parcel)
            waiting.done()


def test_what_was_put_is_taken_whole_and_in_order(spool):
    for number in range(5):
        assert spool.put(parcel(number))
    assert taken(spool) == [parcel(number) for number in range(5)]


def test_a_parcel_that_is_not_done_stays(spool):
    spool.put(parcel(1))
    with spool.take() as waiting:
        assert waiting.parcel == parcel(1)
    assert taken(spool) == [parcel(1)]


def test_nobody_takes_what_another_holds(spool, tmp_path):
    spool.put(parcel(1))
    spool.put(parcel(2))
    other = Spool(tmp_path / "spool", "vendor", "https://vendor.example key")
    with spool.take() as mine, other.take() as its, spool.take() as third:
        assert (mine.parcel, its.parcel, third) == (parcel(1), parcel(2), None)


FORKED = """
import os, signal, sys
from pathlib import Path
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.spool import Spool

spool = Spool(Path(sys.argv[1]), "vendor", "here")
spool.put(Parcel("/", b"x", (), 1))
with spool.take() as mine:
    assert mine is not None
    worker = os.fork()
    if worker == 0:
        signal.pause()
try:
    with spool.take() as again:
        print(again is not None)
finally:
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
"""


def test_a_worker_that_is_forked_while_a_parcel_is_sent_holds_it_no_longer(tmp_path):
    command = [sys.executable, "-c", FORKED, str(tmp_path / "spool")]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout == "True\n"


def test_parcels_for_one_account_never_reach_another(spool, tmp_path):
    spool.put(parcel(1))
    assert taken(Spool(tmp_path / "spool", "vendor", "https://vendor.example other")) == []


def test_files_are_for_their_owner_alone(spool, tmp_path):
    spool.put(parcel(1))
    (file,) = (tmp_path / "spool").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "key" not in file.name


def test_past_its_bytes_a_spool_takes_nothing(spool, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 200)
    results = [spool.put(parcel(number)) for number in range(6)]
    assert results[0]
    assert not results[-1]
    assert len(taken(spool)) == sum(results)


def aged(directory, seconds: float) -> None:
    for path in directory.iterdir():
        os.utime(path, times=(time.time() - seconds,) * 2)


def test_what_nobody_has_looked_at_for_a_day_is_dropped_and_told(spool, tmp_path):
    directory = tmp_path / "spool"
    old = Spool(directory, "vendor", "https://vendor.example old")
    assert old.put(parcel(3))
    assert old.put(parcel(4))
    aged(directory, module._ABANDONED - 60)
    assert spool.drop_abandoned() == 0
    aged(directory, module._ABANDONED + 60)
    assert Spool(directory, "vendor-log", "https://vendor.example new").drop_abandoned() == 0
    assert old.drop_abandoned() == 0

    assert spool.drop_abandoned() == 7

    assert list(directory.iterdir()) == []


def test_what_an_account_in_use_keeps_is_dropped_by_no_other(spool, tmp_path):
    directory = tmp_path / "spool"
    used = Spool(directory, "vendor", "https://vendor.example used")
    used.put(parcel(3))
    used.put(parcel(4))
    aged(directory, module._ABANDONED + 60)
    with used.take() as waiting:
        assert waiting is not None
    assert spool.drop_abandoned() == 0
    aged(directory, module._ABANDONED + 60)
    Spool(directory, "vendor", "https://vendor.example used")
    assert spool.drop_abandoned() == 0


def batch(*events: bytes) -> tuple[Parcel, tuple[bytes, ...]]:
    return Parcel("/v1", b"[" + b",".join(events) + b"]", (), len(events)), events


def test_a_parcel_keeps_what_it_is_made_of_and_may_be_split(spool):
    assert spool.put(*batch(b'{"a":1}', b"1", b"1"), 2)
    assert spool.put(parcel(7))
    with spool.take() as waiting:
        assert (waiting.events, waiting.failures) == ((b'{"a":1}', b"1", b"1"), 2)
        assert waiting.split([batch(b'{"a":1}'), batch(b"1", b"1")])

    found = taken(spool)

    assert {each.body for each in found[:2]} == {b'[{"a":1}]', b"[1,1]"}
    assert found[2] == parcel(7)


def test_a_parcel_that_is_to_wait_goes_behind_all_others_and_remembers_its_failures(spool):
    spool.put(parcel(1))
    spool.put(parcel(2))
    with spool.take() as waiting:
        waiting.later(3)
    with spool.take() as first, spool.take() as second:
        assert (first.parcel, first.failures) == (parcel(2), 0)
        assert (second.parcel, second.failures) == (parcel(1), 3)


def test_a_parcel_of_an_older_version_is_read_whole(spool, tmp_path):
    spool.put(parcel(1))
    (file,) = (tmp_path / "spool").iterdir()
    file.write_bytes(b'{"path": "/v1", "headers": [["X", "y"]], "count": 3}\n[1,2,3]')
    with spool.take() as waiting:
        assert waiting.parcel == Parcel("/v1", b"[1,2,3]", (("X", "y"),), 3)
        assert (waiting.events, waiting.failures) == ((), 0)


@pytest.mark.swallows_errors
def test_a_disk_that_refuses_while_a_parcel_is_held_costs_nothing(spool, tmp_path):
    spool.put(*batch(b"1", b"2"))
    directory, away = tmp_path / "spool", tmp_path / "away"
    with spool.take() as waiting:
        directory.rename(away)
        assert not waiting.split([batch(b"1"), batch(b"2")])
        waiting.later(1)
        away.rename(directory)

    assert [each.body for each in taken(spool)] == [b"[1,2]"]
    assert _guard.counts() == {"spool.split": 1, "spool.move": 1}


@pytest.mark.swallows_errors
def test_a_file_that_is_no_parcel_is_taken_away(spool, tmp_path):
    spool.put(parcel(1))
    (file,) = (tmp_path / "spool").iterdir()
    for name, data in {"0": b"", "1": b"{}\n", "2": b'{"path": 1}\nx', "3": b"\xff\n"}.items():
        file.with_name(f"{file.name.rpartition('-')[0][:-20]}{name:0>20}-x.parcel").write_bytes(
            data
        )
    assert taken(spool) == [parcel(1)]
    assert list((tmp_path / "spool").iterdir()) == []
    assert _guard.counts() == {"spool.read": 4}


def test_many_processes_take_each_parcel_once(spool, tmp_path):
    for number in range(60):
        spool.put(parcel(number))
    code = f"""
        from pathlib import Path
        from otel_apimetrics.exporters.spool import Spool
        spool = Spool(Path({str(tmp_path / "spool")!r}), "vendor", "https://vendor.example key")
        while True:
            with spool.take() as waiting:
                if waiting is None:
                    break
                print(waiting.parcel.count)
                waiting.done()
    """
    workers = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = b"".join(worker.communicate(timeout=60)[0] for worker in workers)
    assert sorted(map(int, said.split())) == list(range(60))


@pytest.mark.swallows_errors
def test_a_disk_that_refuses_is_counted_and_told(spool, tmp_path):
    (tmp_path / "spool").rmdir()

    assert not spool.put(parcel(1))

    assert _guard.counts() == {"spool.put": 1}
