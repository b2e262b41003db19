"""Text that a scrape can be written with, whatever a request carried."""

from collections.abc import Iterable
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar, Sample

from otel_apimetrics import _guard


def encodable(value: object) -> str:
    r"""Give a value as text that UTF-8 can hold.

    Half of a surrogate pair, as JSON may carry one, is spelled as JSON does (`\ud800`): two values
    that differ stay two series, of which none is lost.
    """
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def encodable_labels(labels: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Give labels so, in their order."""
    return tuple((encodable(name), encodable(value)) for name, value in labels)


def encodable_metric(metric: Metric) -> Metric:
    """Give a metric of prometheus_client's so, and its values as numbers.

    A sample whose value means no number is left out, and the log says so.
    """
    name, unit = encodable(metric.name), encodable(getattr(metric, "unit", "") or "")
    kept = Metric(name, encodable(metric.documentation or ""), metric.type, unit)
    for sample in metric.samples:
        try:
            kept.samples.append(encodable_sample(sample))
        except Exception as error:  # noqa: PERF203  one sample is odd, the others are exposed
            _guard.swallow("prometheus.sample", error)
    return kept


def encodable_sample(sample: tuple[Any, ...]) -> Sample:
    """Give a sample so, with numbers for what means one.

    Args:
        sample: also one that a collector has made as a plain tuple.

    Raises:
        TypeError, ValueError: its value or its time means no number.
    """
    name, labels, value, timestamp, exemplar, *rest = Sample(*sample)
    if timestamp is not None:
        float(timestamp)
    if exemplar is not None:
        exemplar = Exemplar(_labels(exemplar.labels), float(exemplar.value), exemplar.timestamp)
    return Sample(encodable(name), _labels(labels), float(value), timestamp, exemplar, *rest)


def _labels(labels: Any) -> dict[str, str]:
    return dict(encodable_labels(labels.items()))
