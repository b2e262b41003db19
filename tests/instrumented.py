"""The process's instrumentor, and the end of all that a test has instrumented."""

from otel_apimetrics import ApiMetricsInstrumentor


def switch_off(instrumentor: ApiMetricsInstrumentor) -> None:
    """Undo `instrument()` and each `instrument_app()`: apps of modules outlive their test."""
    instrumentor._registry.forget()
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
    else:
        instrumentor._uninstrument()
