"""PromQL over our metrics, with the names that a scrape shows."""

from collections.abc import Sequence

REQUESTS = "apimetrics_requests_total"
DURATION = "apimetrics_request_duration_seconds"
EXCEPTIONS = "apimetrics_exceptions_total"
VALIDATION_ERRORS = "apimetrics_validation_errors_total"
ACTIVE = "apimetrics_active_requests"
REQUEST_SIZE = "apimetrics_request_body_size_bytes"
RESPONSE_SIZE = "apimetrics_response_body_size_bytes"
INTERNAL_ERRORS = "apimetrics_internal_errors_total"
SENT = "apimetrics_exporter_sent_total"
FAILED = "apimetrics_exporter_failed_total"
DROPPED = "apimetrics_exporter_dropped_total"

METHOD = "http_request_method"
ROUTE = "http_route"
STATUS = "http_response_status_code"
CONSUMER = "apimetrics_consumer_id"
GROUP = "apimetrics_consumer_group"

SERVER_ERROR = f'{STATUS}=~"5.."'
CLIENT_ERROR = f'{STATUS}=~"4.."'
NO_ANSWER = f'{STATUS}=""'

INTERVAL = "$__rate_interval"
"""What Grafana makes of it holds at least four scrapes, so that a rate always has two."""
RANGE = "$__range"
"""The time that the dashboard shows."""


def select(metric: str, *matchers: str) -> str:
    """Give the series of a metric that meet all matchers."""
    return f"{metric}{{{', '.join(matchers)}}}" if matchers else metric


def rate(series: str, by: Sequence[str] = (), window: str = INTERVAL) -> str:
    """Give how fast counters grow, in units a second, summed by labels."""
    return f"{total(by)} (rate({series}[{window}]))"


def increase(series: str, by: Sequence[str] = (), window: str = RANGE) -> str:
    """Give by how much counters have grown, summed by labels."""
    return f"{total(by)} (increase({series}[{window}]))"


def total(by: Sequence[str]) -> str:
    """Give the aggregation that keeps these labels."""
    return f"sum by ({', '.join(by)})" if by else "sum"


def ratio(part: str, whole: str) -> str:
    """Give the share of a rate in another: 0 where there is no part, nothing where no whole."""
    return f"({part} or 0 * {whole}) / ({whole} > 0)"


def quantile(
    share: float, histogram: Sequence[str], by: Sequence[str] = (), window: str = INTERVAL
) -> str:
    """Give a quantile of a histogram by labels.

    Args:
        share: 0 to 1.
        histogram: its name and matchers.
        by: labels.
        window: of the rate.
    """
    name, *matchers = histogram
    buckets = rate(select(f"{name}_bucket", *matchers), ("le", *by), window)
    return f"histogram_quantile({share}, {buckets})"


def mean(histogram: Sequence[str], by: Sequence[str] = ()) -> str:
    """Give the mean of a histogram by labels."""
    name, *matchers = histogram
    count = rate(select(f"{name}_count", *matchers), by)
    return f"{rate(select(f'{name}_sum', *matchers), by)} / ({count} > 0)"


def within(bound: str, histogram: Sequence[str], by: Sequence[str] = ()) -> str:
    """Give the share of a histogram's measurements up to a bound, which must be one of its own.

    Args:
        bound: as a regular expression, since `1` is written `1.0` by some.
        histogram: its name and matchers.
        by: labels.
    """
    name, *matchers = histogram
    count = rate(select(f"{name}_count", *matchers), by)
    buckets = select(f"{name}_bucket", *matchers, f'le=~"{bound}"')
    return f"{rate(buckets, by)} / ({count} > 0)"


def legend(*labels: str) -> str:
    """Give what Grafana replaces by the values of a line's labels."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def largest(number: int, expression: str) -> str:
    """Give the series with the largest values."""
    return f"topk({number}, {expression})"
