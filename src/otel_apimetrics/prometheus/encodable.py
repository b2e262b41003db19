"""Text that a scrape can be written with, whatever a request carried."""

from collections.abc import Iterable
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar, Sample


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
    """Give a metric of prometheus_client's so."""
    kept = Metric(
        encodable(metric.name), encodable(metric.documentation), metric.type, encodable(metric.unit)
    )
    kept.samples = [_sample(sample) for sample in metric.samples]
    return kept


def _sample(sample: Sample) -> Sample:
    name, labels, exemplar = encodable(sample.name), _labels(sample.labels), sample.exemplar
    if exemplar is not None:
        exemplar = Exemplar(_labels(exemplar.labels), exemplar.value, exemplar.timestamp)
    return sample._replace(name=name, labels=labels, exemplar=exemplar)


def _labels(labels: Any) -> dict[str, str]:
    return dict(encodable_labels(labels.items()))
