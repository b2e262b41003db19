"""A worker that was forked in C, as uWSGI forks: no handler of `os.register_at_fork` runs."""

import json
import os
import sys
from types import SimpleNamespace

import pytest

from otel_apimetrics import forked
from tests.one_span.processes import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

PARENT = """
    import ctypes, json, logging, os, signal, threading
    from opentelemetry import trace
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.metrics import set_meter_provider
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import (
        InMemoryMetricReader, MetricExporter, MetricExportResult, PeriodicExportingMetricReader)
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from otel_apimetrics import ApiMetricsInstrumentor

    class Told(MetricExporter):
        def __init__(self):
            super().__init__()
            self.told = threading.Event()
            self.counts = []
        def export(self, data, timeout_millis=0, **_):
            for resource in data.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name == "apimetrics.requests":
                            for point in metric.data.data_points:
                                self.counts.append((os.getpid(), point.value))
                            self.told.set()
            return MetricExportResult.SUCCESS
        def force_flush(self, timeout_millis=0):
            return True
        def shutdown(self, timeout_millis=0, **_):
            pass

    metrics, spans, logs = Told(), InMemorySpanExporter(), InMemoryLogRecordExporter()
    def providers(spans=spans, metrics=metrics, **options):
        tracers = TracerProvider(**options)
        tracers.add_span_processor(BatchSpanProcessor(spans))
        reader = PeriodicExportingMetricReader(metrics, export_interval_millis=20)
        return tracers, MeterProvider([reader, InMemoryMetricReader()])
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"hello"]
    def request(app):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}
        list(app(environ, lambda *_: None))
    def instance(provider):
        return provider.resource.attributes["service.instance.id"]
    def in_c_fork(work, hooks=False):
        python = ctypes.pythonapi
        reader, writer = os.pipe()
        if hooks:
            python.PyOS_BeforeFork()
        child = ctypes.PyDLL(None).fork()
        if hooks:
            (python.PyOS_AfterFork_Parent if child else python.PyOS_AfterFork_Child)()
        if child == 0:
            signal.alarm(15)
            try:
                said = work()
            except BaseException as error:
                said = repr(error)
            os.write(writer, json.dumps(said).encode())
            os._exit(0)
        os.close(writer)
        said = os.fdopen(reader).read()
        if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            say(hung=True)
            os._exit(0)
        return json.loads(said)
    def say(**what):
        print(json.dumps(what), flush=True)
"""


def run(code: str) -> dict:
    """Run it in a parent; again where a thread of the parent's held a lock when it forked.

    Nobody renews that: the worker hangs, whoever wrote its code.
    """
    for _ in range(5):
        said = json.loads(run_python(PARENT + code).splitlines()[-1])
        if "hung" not in said:
            return said
    raise AssertionError("five workers hung")


def test_a_worker_forked_in_c_counts_its_requests_under_an_id_of_its_own():
    said = run(
        """
    tracers, meters = providers()
    trace.set_tracer_provider(tracers)
    set_meter_provider(meters)
    loggers = LoggerProvider()
    loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
    set_logger_provider(loggers)
    served = ApiMetricsInstrumentor().instrument_app(app)
    def worker():
        request(served)
        request(served)
        counted = metrics.told.wait(10)
        tracers.force_flush()
        loggers.force_flush()
        return [counted, len(spans.get_finished_spans()), len(logs.get_finished_logs()),
                instance(tracers), instance(loggers), meters._sdk_config.resource.attributes["service.instance.id"]]
    say(parent=instance(tracers), workers=[in_c_fork(worker), in_c_fork(worker)])
    """
    )

    ids = {said["parent"]}
    for counted, spans, logs, *instances in said["workers"]:
        assert (counted, spans, logs) == (True, 2, 1)
        assert len(set(instances)) == 1
        ids.update(instances)
    assert len(ids) == 3


def test_a_worker_forked_in_c_does_not_tell_what_waited_in_its_parent():
    said = run(
        """
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    served = ApiMetricsInstrumentor().instrument_app(app, meter_provider=provider)
    def counted():
        return [point.value for resource in reader.get_metrics_data().resource_metrics
                for scope in resource.scope_metrics for metric in scope.metrics
                if metric.name == "apimetrics.requests" for point in metric.data.data_points]
    for _ in range(9):
        request(served)
    def worker():
        request(served)
        request(served)
        return counted()
    said = in_c_fork(worker)
    say(worker=said, parent=counted())
    """
    )
    # The SDK had been told of the first; what it holds a child inherits.
    assert said == {"worker": [3], "parent": [9]}


def test_providers_that_are_not_the_global_ones_are_renewed_too():
    said = run(
        """
    tracers, meters = providers(active_span_processor=ConcurrentMultiSpanProcessor(2))
    served = ApiMetricsInstrumentor().instrument_app(
        app, tracer_provider=tracers, meter_provider=meters)
    tracers.get_tracer("the parent's").start_span("x").end()  # its pool has threads now
    def worker():
        request(served)
        counted = metrics.told.wait(10)
        tracers.force_flush()
        return [counted, [span.name for span in spans.get_finished_spans()], instance(tracers)]
    say(parent=instance(tracers), worker=in_c_fork(worker))
    """
    )

    counted, names, instance = said["worker"]
    assert counted
    assert names == ["GET"]
    assert instance != said["parent"]


def test_a_provider_without_threads_gets_an_id_of_its_own_too_but_not_in_the_place_of_a_given_one():
    said = run(
        """
    plain = TracerProvider()
    given = TracerProvider(resource=Resource.create({"service.instance.id": "mine"}))
    apps = [ApiMetricsInstrumentor().instrument_app(app, tracer_provider=each)
            for each in (plain, given)]
    def worker():
        for served in apps:
            request(served)
        return [instance(plain), instance(given)]
    say(parent=instance(plain), worker=in_c_fork(worker))
    """
    )

    plain, given = said["worker"]
    assert plain != said["parent"]
    assert given == "mine"


def test_what_a_worker_has_made_itself_stays_as_it_is():
    said = run(
        """
    def worker():
        tracers, meters = providers(resource=Resource.create({"service.instance.id": "mine"}))
        served = ApiMetricsInstrumentor().instrument_app(
            app, tracer_provider=tracers, meter_provider=meters)
        before = threading.active_count()
        request(served)
        return [metrics.told.wait(10), instance(tracers), threading.active_count() - before]
    say(worker=in_c_fork(worker))
    """
    )

    assert said["worker"] == [True, "mine", 0]


def test_handlers_that_have_run_are_not_run_again():
    said = run(
        """
    tracers, meters = providers()
    served = ApiMetricsInstrumentor().instrument_app(
        app, tracer_provider=tracers, meter_provider=meters)
    def worker():
        before, instance_before = threading.active_count(), instance(tracers)
        request(served)
        return [metrics.told.wait(10), instance(tracers) == instance_before,
                threading.active_count() - before]
    # As uWSGI forks with py-call-uwsgi-fork-hooks.
    say(worker=in_c_fork(worker, hooks=True))
    """
    )

    assert said["worker"] == [True, True, 0]


def test_an_sdk_with_another_inside_is_left_alone_and_the_remedy_is_named():
    said = run(
        """
    from otel_apimetrics import _guard
    tracers, meters = providers()
    served = ApiMetricsInstrumentor().instrument_app(
        app, tracer_provider=tracers, meter_provider=meters)
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger("otel_apimetrics").addHandler(handler)
    def fail():
        raise AttributeError
    meters._handle_fork = fail
    def worker():
        request(served)
        tracers.force_flush()
        return [len(spans.get_finished_spans()), "".join(lines), _guard.counts()]
    say(worker=in_c_fork(worker))
    """
    )

    served, lines, counts = said["worker"]
    assert served == 1
    assert "py-call-uwsgi-fork-hooks" in lines
    assert counts == {"forked.renew": 1}


def test_uwsgi_without_threads_is_warned_of_once(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(has_threads=0))
    monkeypatch.setattr(forked, "_begun", 0)
    for _ in range(2):
        forked.begin_process()
    (warning,) = caplog.records
    assert "enable-threads = true" in warning.getMessage()


def test_another_server_and_uwsgi_with_threads_are_not_warned_of(monkeypatch, caplog):
    for module in (None, SimpleNamespace(), SimpleNamespace(has_threads=1)):
        monkeypatch.setitem(sys.modules, "uwsgi", module)
        monkeypatch.setattr(forked, "_begun", 0)
        forked.begin_process()
    assert caplog.records == []
