"""A reader with a directory: what it accepts, and what one process leaves there."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
)

from otel_apimetrics import ConfigError, forked
from otel_apimetrics.prometheus import FlaskMetrics, PrometheusReader, wire
from otel_apimetrics.prometheus.families import Family, Series
from otel_apimetrics.prometheus.place import Place
from otel_apimetrics.prometheus.registry import families_in
from otel_apimetrics.prometheus.workers import Workers


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "workers"


@pytest.fixture
def made(directory):
    providers = []

    def make(**options):
        options = {
            "registry": CollectorRegistry(),
            "target_info": False,
            "created": False,
            **options,
        }
        reader = PrometheusReader(directory=directory, **options)
        providers.append(MeterProvider([reader], shutdown_on_exit=False))
        return reader, providers[-1].get_meter("shop")

    yield make
    for provider in providers:
        provider.shutdown()


def shown(reader):
    lines = reader.scrape().body.decode().splitlines()
    return [line for line in lines if line[0] != "#"]


def told(directory, names="0-*"):
    """What has been written down, by name."""
    return {
        family.name: sum(series.value for series in family.series)
        for path in directory.glob(f"{names}.numbers")
        for family in wire.read(path.read_bytes()).families
    }


def test_it_is_made_for_its_user_alone(made, directory):
    made()
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
def test_one_in_which_others_may_write_is_refused(mode, made, directory):
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(ConfigError, match="others may write there"):
        made()


def test_one_that_others_may_read_is_none_of_our_business(made, directory):
    directory.mkdir(0o755)
    made()


def test_one_that_is_none_is_refused(made, directory):
    directory.touch()
    with pytest.raises(ConfigError, match="workers"):
        made()


def test_one_in_which_nothing_can_be_made_is_refused():
    with pytest.raises(ConfigError, match="belongs to the user"):
        PrometheusReader(directory="/proc/self")


@pytest.mark.parametrize(
    "variable",
    ["OTEL_EXPORTER_PROMETHEUS_DIRECTORY", "PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"],
)
def test_the_environment_may_name_it(variable, directory, monkeypatch):
    monkeypatch.setenv(variable, str(directory))
    reader = PrometheusReader()
    assert list(directory.glob("*.live"))
    reader.shutdown()


def test_without_unix_sockets_the_error_names_the_alternative(made, monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(ConfigError, match="Push OTLP to a Collector"):
        made()


def test_a_mode_of_gauges_that_is_none_is_refused(made):
    with pytest.raises(ConfigError, match="fill='most'.*mostrecent"):
        made(gauges={"fill": "most"})


def test_gauges_are_told_apart_by_pid_unless_a_mode_is_given(made):
    reader, meter = made(gauges={"highest": "max"})
    meter.create_gauge("fill").set(1)
    meter.create_gauge("highest").set(2)
    meter.create_gauge("build_info").set(1, {"version": "3"})
    assert shown(reader) == [
        f'fill{{pid="{os.getpid()}"}} 1.0', "highest 2.0", 'build_info{version="3"} 1.0',
    ]  # fmt: skip


def test_the_resource_is_shown_without_what_each_process_has_its_own_of(made):
    reader, meter = made(target_info=True)
    meter.create_counter("orders").add(1)
    line, _ = shown(reader)
    assert "service_name=" in line
    assert "service_instance_id" not in line


def test_scopes_are_told_apart_as_they_are_without_a_directory(made):
    reader, meter = made(scope_labels=True)
    meter.create_counter("orders").add(1)
    (line,) = shown(reader)
    assert 'otel_scope_name="shop"' in line


def test_exemplars_outlast_what_is_written_down_meanwhile(made):
    reader, meter = made()
    wait = meter.create_histogram("wait", explicit_bucket_boundaries_advisory=[1, 2])
    for number, value in enumerate((0.5, 1.5, 1.7), 1):
        span = trace.NonRecordingSpan(trace.SpanContext(number, 1, False, trace.TraceFlags(1)))
        wait.record(value, {}, trace.set_span_in_context(span, Context()))
        reader.force_flush()
    body = reader.scrape("application/openmetrics-text; version=1.0.0").body.decode()
    ids = re.findall(r'le="(.*?)"} .*trace_id="0+(\d)"', body)
    assert ids == [("1.0", "1"), ("2.0", "3")]


def test_two_readers_of_a_process_do_not_meet(made):
    (one, meter), (two, other) = made(), made()
    meter.create_counter("orders").add(1)
    other.create_counter("orders").add(2)
    assert (shown(one), shown(two)) == (["orders_total 1.0"], ["orders_total 2.0"])


def test_metrics_of_prometheus_client_come_the_same_way(made, caplog):
    registry = CollectorRegistry()
    Counter("mine", "Mine", registry=registry).inc(3)
    Counter("orders", "Taken", registry=registry).inc(9)
    Gauge("waiting", "Waiting", registry=registry, multiprocess_mode="livesum").set(4)
    Gauge("heat", "Heat", ["room"], registry=registry).labels("a").set(5)
    wait = Histogram("wait", "Wait", registry=registry, buckets=[1, 2])
    for value in (0.5, 1.5, 1.5, 9):
        wait.observe(value)
    Summary("size", "Size", registry=registry).observe(7)
    Info("build", "Build", registry=registry).info({"version": "3"})
    Enum("state", "State", registry=registry, states=["on", "off"]).state("off")
    reader, meter = made(registry=registry)
    meter.create_counter("orders").add(1)
    pid = os.getpid()
    assert shown(reader) == [
        "orders_total 1.0",
        "mine_total 3.0",
        "waiting 4.0",
        f'heat{{pid="{pid}",room="a"}} 5.0',
        'wait_bucket{le="1.0"} 1.0',
        'wait_bucket{le="2.0"} 3.0',
        'wait_bucket{le="+Inf"} 4.0',
        "wait_count 4.0",
        "wait_sum 12.5",
        "size_count 1.0",
        "size_sum 7.0",
        'build_info{version="3"} 1.0',
        f'state{{pid="{pid}",state="on"}} 0.0',
        f'state{{pid="{pid}",state="off"}} 1.0',
    ]
    assert "orders of prometheus_client is not exposed" in caplog.text


def test_the_process_and_the_interpreter_are_there():
    families = {family.name: family for family in families_in(REGISTRY, REGISTRY.collect())}
    assert families["process_cpu_seconds"].mode == "sum"
    assert families["process_resident_memory_bytes"].mode == "all"
    assert families["process_start_time_seconds"].mode == "livemin"
    assert families["python_info"].mode == "livemax"


def test_the_end_of_a_provider_is_written_down(made, directory):
    reader, meter = made()
    meter.create_counter("orders").add(2)
    reader.shutdown()
    assert told(directory, "ended-0") == {"orders": 2}
    assert shown(reader) == ["orders_total 2.0"], "whoever scrapes later sees the last values"


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_reader_that_is_shut_down_leaves_nothing_but_its_counts(made, directory):
    before = open_files()
    for number in range(1, 4):
        reader, meter = made()
        meter.create_counter("orders").add(2)
        meter.create_gauge("fill").set(2)
        if number == 2:
            assert "orders_total 4.0" in shown(reader)
        reader.shutdown()
        reader.shutdown()
        assert {path.name for path in directory.iterdir()} == {"ended-0.numbers", "0-scrape.lock"}
        assert shown(reader) == [f"orders_total {number * 2}.0"]
        assert open_files() == before


def test_a_reader_that_is_shut_down_disturbs_no_other_of_its_process(made):
    (old, meter), (_, other) = made(), made()
    meter.create_counter("orders").add(2)
    other.create_counter("orders").add(70)
    old.shutdown()
    old.shutdown()
    new, meter = made()
    counter = meter.create_counter("orders")
    for number in (3, 4):
        counter.add(1)
        assert shown(new) == shown(old) == [f"orders_total {number}.0"]


def test_the_end_of_a_provider_waits_for_no_scrape(made, directory, stuck):
    reader, meter = made()
    meter.create_counter("orders").add(2)
    shown(reader)
    with stuck():
        reader.shutdown()
    other, _ = made()
    assert shown(other) == ["orders_total 2.0"]


def test_a_flush_is_written_down(made, directory):
    reader, meter = made()
    meter.create_counter("orders").add(2)
    assert reader.force_flush()
    assert told(directory) == {"orders": 2}


@pytest.mark.parametrize("threads", [True, False])
def test_requests_are_written_down_though_nobody_asks(
    threads, directory, instrumentor, monkeypatch
):
    if not threads:
        monkeypatch.setattr(forked, "has_no_threads", lambda: True)
    reader = PrometheusReader(registry=CollectorRegistry(), directory=directory)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    try:
        app = Flask("shop")
        app.add_url_rule("/", view_func=lambda: "")
        instrumentor.instrument_app(app, meter_provider=provider)
        with app.test_client() as client:
            client.get("/").close()
        deadline = time.monotonic() + 60
        while threads and told(directory).get("apimetrics_requests") != 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert told(directory)["apimetrics_requests"] == 1
        assert bool(list(directory.glob("*.sock"))) == threads
    finally:
        provider.shutdown()


def test_one_of_several_processes_that_shows_itself_alone_says_so(monkeypatch, caplog):
    reader = PrometheusReader(registry=CollectorRegistry())
    MeterProvider([reader], shutdown_on_exit=False)
    reader.scrape()
    assert not caplog.records
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as after a fork
    reader.scrape()
    reader.scrape()
    (record,) = caplog.records
    assert "OTEL_EXPORTER_PROMETHEUS_DIRECTORY" in record.getMessage()


def test_what_has_ended_may_have_been_another_version_of_the_app(made, directory):
    place = Place(directory, 0)
    gone = [
        Family("orders", "gauge", mode="max", series=[Series((), 9)]),
        Family("carts", "counter", series=[Series((), 4, scope=("shop", "", ""))]),
        Family("build_info", "gauge", mode="livemax", series=[Series((("version", "1"),), 1)]),
    ]
    place.write("0-1-abcdefab", wire.written(gone))
    reader, meter = made()
    meter.create_counter("orders").add(2)
    meter.create_counter("carts").add(1)
    meter.create_gauge("build_info").set(1, {"version": "2"})
    for _ in range(2):
        assert shown(reader) == [
            "orders_total 2.0",
            "carts_total 5.0",
            'build_info{version="2"} 1.0',
        ]


@pytest.mark.swallows_errors
def test_a_file_that_cannot_be_read_takes_no_other_with_it(made, directory, no_swallowed_errors):
    reader, meter = made()
    meter.create_counter("orders").add(2)
    (directory / "0-1-abcdefab.numbers").write_bytes(b"{")
    assert shown(reader) == ["orders_total 2.0"]
    assert [place for place, _ in no_swallowed_errors] == ["prometheus.read"]


def test_flasks_own_metrics_are_written_down_though_nobody_asks(directory, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_DIRECTORY", str(directory))
    monkeypatch.setattr(forked, "has_no_threads", lambda: True)
    app = Flask("shop")
    app.add_url_rule("/", view_func=lambda: "")
    metrics = FlaskMetrics(app, registry=CollectorRegistry(), path=None, names="flask")
    try:
        with app.test_client() as client:
            client.get("/").close()
        assert told(directory)["flask_http_request"] == 1
    finally:
        metrics._measures.reader.shutdown()


def test_half_of_a_surrogate_pair_that_was_written_down_is_shown_as_any_other(made, directory):
    reader, meter = made()
    meter.create_counter("orders").add(1, {"x": "\ud800"})
    earlier = Family(
        "orders",
        "counter",
        "\udfff",
        series=[Series((("x", "\ud800"),), 2, scope=("shop", "", ""))],
    )
    Place(directory, 0).write("ended-0", wire.written([earlier]))
    assert shown(reader) == ['orders_total{x="\\\\ud800"} 3.0']


HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_scrape_waits_for_another_processs_and_not_for_ever(directory):
    place = Place(directory, 0)
    with place.turn():
        pass
    (path,) = directory.glob("*.lock")
    command = [sys.executable, "-c", HOLDER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError, match="another process"):
            with place.turn(patience=0.02):
                pass
        holder.stdin.close()
        holder.wait()
    with place.turn(patience=0.0):
        pass


@pytest.fixture
def stuck(directory):
    """Another process that does not finish its scrape."""

    @contextmanager
    def holding():
        (path,) = directory.glob("*.lock")
        command = [sys.executable, "-c", HOLDER, path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout.readline() == b"held\n"
            yield
            holder.stdin.close()

    return holding


def orders(number):
    return Family("orders", "counter", series=[Series((), number, scope=("shop", "", ""))])


def test_a_scrape_behind_one_that_is_stuck_shows_all_and_puts_nothing_down(made, directory, stuck):
    reader, meter = made()
    counter = meter.create_counter("orders")
    counter.add(1)
    place = Place(directory, 0)
    place.write("0-1-00000000", wire.written([orders(10)]))
    assert shown(reader) == ["orders_total 11.0"]
    place.write("0-1-00000001", wire.written([orders(100)]))
    counter.add(2)
    with stuck():
        assert shown(reader) == ["orders_total 113.0"]
        assert place.has("0-1-00000001")
    assert shown(reader) == ["orders_total 113.0"]
    assert not place.has("0-1-00000001")


class Hurried(Place):
    """Where another process puts down what has ended between two looks of ours."""

    def read(self, name):
        if name != self.ended and self.has(name):
            self.write(self.ended, wire.written([orders(10)], [name]))
            self.forget(name)
        return super().read(name)


def test_what_is_put_down_while_a_scrape_reads_without_its_turn_counts_once(directory, stuck):
    workers = Workers(Hurried(directory, 0), list, list)
    with workers.place.turn():
        pass
    workers.place.write("0-1-00000000", wire.written([orders(10)]))
    with stuck():
        assert [family.series[0].value for family in workers.gather()] == [10]
    workers.close()


TRIER = """
import fcntl, sys
fcntl.lockf(open(sys.argv[1], "r+b"), fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_nobody_waits_for_the_callbacks_of_the_process_that_is_scraped(made, directory):
    ended = []

    def observe(_options):
        for path in directory.glob("*.lock"):
            command = [sys.executable, "-c", TRIER, path]
            ended.append(subprocess.run(command, check=False).returncode)
        return [Observation(3)]

    reader, meter = made()
    meter.create_observable_counter("orders", [observe])
    assert shown(reader) == shown(reader) == ["orders_total 3.0"]
    assert ended
    assert {*ended} == {0}


@pytest.mark.swallows_errors
def test_a_disk_that_takes_nothing_stops_no_scrape_but_the_totals(
    made, directory, caplog, no_swallowed_errors
):
    reader, meter = made()
    counter, wait, fill = (
        meter.create_counter("orders"), meter.create_histogram("wait"), meter.create_gauge("fill")
    )  # fmt: skip
    counter.add(2)
    fill.set(1)
    before = shown(reader)
    counter.add(5)
    wait.record(1)
    fill.set(3)
    (live,) = directory.glob("*.live")
    odd = directory / f"{live.stem}.{os.getpid()}.new"
    odd.mkdir()  # nothing can be written there
    for _ in range(2):
        assert shown(reader) == [before[0], before[1].replace("1.0", "3.0")]
    assert before[0] == "orders_total 2.0"
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.write"}
    assert caplog.text.count("no more until it can be written down") == 1
    odd.rmdir()
    assert shown(reader)[0] == "orders_total 7.0"
    assert "wait_count 1.0" in shown(reader)


@pytest.mark.swallows_errors
@pytest.mark.parametrize("is_known", [True, False])
def test_a_directory_that_is_taken_away_fails_no_scrape_and_is_made_again(
    is_known, made, directory, caplog, no_swallowed_errors
):
    reader, meter = made()
    counter, fill = meter.create_counter("orders"), meter.create_gauge("fill")
    counter.add(5)
    fill.set(1)
    if is_known:
        assert shown(reader)[0] == "orders_total 5.0"
    shutil.rmtree(directory)
    counter.add(1)
    # What was told has gone with the directory; what was not yet is counted in the new one.
    assert shown(reader)[0] == f"orders_total {1 if is_known else 6}.0"
    assert {path.suffix for path in directory.iterdir()} == {".live", ".lock", ".numbers", ".sock"}
    assert no_swallowed_errors == []

    shutil.rmtree(directory)
    directory.touch()
    counter.add(3)
    fill.set(7)
    for _ in range(2):
        assert shown(reader) == [f'fill{{pid="{os.getpid()}"}} 7.0']
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.appear"}
    assert caplog.text.count("until it can be in its directory again") == 1
    directory.unlink()
    assert shown(reader)[0] == "orders_total 3.0"


def test_requests_in_flight_are_not_fewer_where_the_directory_is_made_again(made, directory):
    reader, meter = made()
    in_flight = meter.create_up_down_counter("open")
    meter.create_observable_up_down_counter("pool", [lambda _: [Observation(10)]])
    in_flight.add(3)
    assert shown(reader) == ["open 3.0", "pool 10.0"]
    shutil.rmtree(directory)
    assert shown(reader) == ["open 3.0", "pool 10.0"]
    in_flight.add(-3)
    assert shown(reader) == ["open 0.0", "pool 10.0"]


@pytest.mark.swallows_errors
@pytest.mark.parametrize("name", ["ended-0.numbers", "0-1-00000000.numbers", "0-1-00000000.live"])
def test_a_directory_in_the_place_of_a_file_fails_no_scrape(name, made, directory):
    reader, meter = made()
    meter.create_counter("orders").add(2)
    (directory / name).mkdir()
    for _ in range(2):
        assert shown(reader) == ["orders_total 2.0"]


def test_an_observable_up_down_counter_is_the_sum_of_what_each_forked_worker_observes(
    made, directory
):
    reader, meter = made()
    meter.create_observable_up_down_counter("pool", [lambda _: [Observation(10)]])
    assert shown(reader) == ["pool 10.0"]
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            reader.scrape()
            os.write(ready[1], b".")
            os.read(go[0], 1)
        finally:
            os._exit(0)
    try:
        os.read(ready[0], 1)
        assert shown(reader) == ["pool 20.0"]
    finally:
        os.write(go[1], b".")
        os.waitpid(pid, 0)
        for descriptor in (*ready, *go):
            os.close(descriptor)


@pytest.mark.swallows_errors
def test_a_reader_that_is_shut_down_where_its_directory_is_gone_ends_all_the_same(
    made, directory, no_swallowed_errors
):
    reader, meter = made()
    meter.create_counter("orders").add(5)
    before = open_files()
    shutil.rmtree(directory)
    directory.touch()
    reader.shutdown()
    assert open_files() < before
    assert shown(reader) == []
    assert {place for place, _ in no_swallowed_errors} == {
        "prometheus.appear",
        "prometheus.worker_end",
    }


@pytest.mark.swallows_errors
def test_those_that_have_ended_stay_where_they_are_while_nothing_can_be_put_down(
    made, directory, no_swallowed_errors
):
    reader, meter = made()
    meter.create_counter("orders").add(1)
    place = Place(directory, 0)
    place.write("0-1-00000000", wire.written([orders(10)]))
    odd = directory / f"ended-0.{os.getpid()}.new"
    odd.mkdir()  # nothing can be written there
    for _ in range(2):
        assert shown(reader) == ["orders_total 11.0"]
    assert {place for place, _ in no_swallowed_errors} == {"prometheus.fold"}
    odd.rmdir()
    for _ in range(2):
        assert shown(reader) == ["orders_total 11.0"]
        assert not place.has("0-1-00000000")


def test_metrics_of_another_reader_in_the_registry_are_told_of_this_process(
    made, directory, monkeypatch
):
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_DIRECTORY", str(directory))
    registry = CollectorRegistry()
    app = Flask("shop")
    app.add_url_rule("/", view_func=lambda: "")
    metrics = FlaskMetrics(app, registry=registry, path=None, names="flask")
    try:
        with app.test_client() as client:
            client.get("/").close()
        reader, _ = made(registry=registry)
        for _ in range(2):
            assert 'flask_http_request_total{method="GET",status="200"} 1.0' in shown(reader)
    finally:
        metrics._measures.reader.shutdown()
