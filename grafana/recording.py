"""The recording rules: what alerts ask for, and dashboards over a long time should."""

from typing import NamedTuple

from grafana import queries as q

WINDOW = "5m"
JOB_LABEL = "job"


class Level(NamedTuple):
    """What is told apart, and how the names of its rules begin."""

    name: str
    labels: tuple[str, ...]


JOB = Level("job", (JOB_LABEL,))
ENDPOINT = Level("job_method_route", (JOB_LABEL, q.METHOD, q.ROUTE))
CONSUMER = Level("job_consumer", (JOB_LABEL, q.CONSUMER))
INSTANCE = Level("job_instance", (JOB_LABEL, "instance"))

KNOWN = f"{INSTANCE.name}:apimetrics_known:bool"
"""1 for each target that has shown requests, as long as Prometheus scrapes it or tries to."""


def requests(level: Level) -> str:
    """Name the requests a second."""
    return f"{level.name}:apimetrics_requests:rate{WINDOW}"


def errors(level: Level) -> str:
    """Name the requests a second that were answered with 5xx; 0 where none was."""
    return f"{level.name}:apimetrics_server_errors:rate{WINDOW}"


def error_ratio(level: Level) -> str:
    """Name the share of requests that were answered with 5xx."""
    return f"{level.name}:apimetrics_server_errors_per_request:ratio_rate{WINDOW}"


def buckets(level: Level) -> str:
    """Name the buckets of the duration, from which any quantile can be had."""
    return f"{level.name}:{q.DURATION}_bucket:rate{WINDOW}"


def p95(level: Level) -> str:
    """Name the seconds that 95 of 100 requests did not exceed."""
    return f"{level.name}:{q.DURATION}:p95_{WINDOW}"


def group() -> dict[str, object]:
    """Give the group of rules. A rule may use those above it."""
    rules = [rule for level in (JOB, ENDPOINT, CONSUMER) for rule in _rules(level)]
    return {"name": "otel-apimetrics-recording", "rules": [*rules, _known()]}


def _rules(level: Level) -> list[dict[str, str]]:
    failed = q.rate(q.select(q.REQUESTS, q.SERVER_ERROR), level.labels, WINDOW)
    made = {
        requests(level): q.rate(q.REQUESTS, level.labels, WINDOW),
        errors(level): f"{failed} or 0 * {requests(level)}",
        error_ratio(level): f"{errors(level)} / ({requests(level)} > 0)",
        buckets(level): q.rate(f"{q.DURATION}_bucket", ("le", *level.labels), WINDOW),
        p95(level): f"histogram_quantile(0.95, {buckets(level)})",
    }
    return [{"record": name, "expr": expression} for name, expression in made.items()]


def _known() -> dict[str, str]:
    # It remembers by its own last value: a target that is down shows nothing else of itself.
    by = ", ".join(INSTANCE.labels)
    return {
        "record": KNOWN,
        "expr": f"group by ({by}) ({q.REQUESTS}) or ({KNOWN} and on ({by}) up)",
    }
