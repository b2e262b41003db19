"""What is logged of an exception is redacted before any exporter sees it."""

import logging

import pytest
from opentelemetry import _logs
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter

from otel_apimetrics import ApiMetricsInstrumentor, log_lock
from otel_apimetrics.redaction import Redactor


@pytest.fixture
def provider(monkeypatch):
    made = LoggerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(log_lock, "get_logger_provider", lambda: made)
    yield made
    log_lock.detach_all()
    made.shutdown()


@pytest.fixture
def exporter(provider):
    made = InMemoryLogRecordExporter()
    provider.add_log_record_processor(BatchLogRecordProcessor(made))
    return made


def log_of(provider, exporter, **attributes):
    logger = logging.Logger("app")  # noqa: LOG001  nobody else gets it
    logger.addHandler(LoggingHandler(logger_provider=provider))
    try:
        raise ValueError("token=s3cr3t")
    except ValueError:
        logger.exception("it failed: password=mine", extra=attributes)
    provider.force_flush()
    return exporter.get_finished_logs()[-1].log_record


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_message_and_the_stack_of_an_exception_are_redacted_and_the_apps_words_stay(
    provider, exporter
):
    log_lock.attach(Redactor())
    log_lock.attach(Redactor())
    record = log_of(provider, exporter, place="here")
    assert record.attributes["exception.message"] == "token=[REDACTED]"
    assert "s3cr3t" not in str(record.attributes)
    assert record.attributes["place"] == "here"
    assert record.body == "it failed: password=mine"
    assert len(provider._multi_log_record_processor._log_record_processors) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_detached_it_lets_everything_pass_until_it_is_attached_again(provider, exporter):
    log_lock.attach(Redactor())
    log_lock.detach_all()
    assert log_of(provider, exporter).attributes["exception.message"] == "token=s3cr3t"
    log_lock.attach(Redactor())
    assert log_of(provider, exporter).attributes["exception.message"] == "token=[REDACTED]"


@pytest.mark.swallows_errors
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_where_it_fails_no_attribute_is_left(provider, exporter):
    log_lock.attach(Redactor())
    (lock, _) = provider._multi_log_record_processor._log_record_processors
    lock.redactor = object()
    assert not log_of(provider, exporter).attributes
    assert lock.force_flush()
    assert not lock.enabled()


def test_a_provider_of_another_make_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(log_lock, "get_logger_provider", _logs.NoOpLoggerProvider)
    log_lock.attach(Redactor())


@pytest.mark.swallows_errors
def test_an_error_while_it_attaches_is_swallowed(monkeypatch, no_swallowed_errors):
    monkeypatch.setattr(log_lock, "get_logger_provider", lambda: 1 / 0)
    log_lock.attach(Redactor())
    assert [place for place, _ in no_swallowed_errors] == ["logs.attach"]


def test_one_instrumented_app_is_enough_before_its_first_request(provider, exporter, telemetry):
    ApiMetricsInstrumentor().instrument_app(
        lambda environ, start_response: [], **telemetry.providers
    )
    provider.get_logger("app").emit(attributes={"exception.message": "token=s3cr3t"})
    provider.force_flush()
    (data,) = exporter.get_finished_logs()
    assert data.log_record.attributes["exception.message"] == "token=[REDACTED]"
