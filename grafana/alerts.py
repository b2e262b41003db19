"""The alerting rules: errors, slow answers, silence, and telemetry that is lost."""

from grafana import queries as q
from grafana import recording as r
from grafana.board import uid

ERROR_RATIO = 0.05
"""Share of requests, answered with 5xx, above which it is an alert."""
SLOW = 1
"""Seconds of the p95 above which it is an alert."""
ENOUGH = 0.1
"""Requests a second below which a share or a quantile says little."""

_ALIVE = f"(group by (job) (up == 1) or group by (job) ({q.REQUESTS}))"
"""Services of which some target answers scrapes. Behind a Collector, which has a `job` of its own,
those are the services that it shows."""


def group() -> dict[str, object]:
    """Give the group of alerts."""
    rules = [_errors(), _endpoint_errors(), _slow(), _down(), _silent(), _unasked(), _lost()]
    return {"name": "otel-apimetrics-alerts", "rules": rules}


def _alert(
    name: str, expression: str, lasting: str, severity: str, summary: str, description: str, at: str
) -> dict[str, object]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {
            "summary": summary,
            "description": description,
            "dashboard": f"/d/{uid(at)}?var-job={{{{ $labels.job }}}}",
        },
    }


def _errors() -> dict[str, object]:
    return _alert(
        "ApiMetricsErrors",
        f"{r.error_ratio(r.JOB)} > {ERROR_RATIO} and {r.requests(r.JOB)} > {ENOUGH}",
        "5m",
        "critical",
        "{{ $labels.job }} answers {{ $value | humanizePercentage }} of its requests with 5xx",
        f"More than {ERROR_RATIO:.0%} of the requests failed for five minutes. 1. The errors"
        " dashboard tells which endpoints fail, with which status, and which consumers see it."
        " 2. One endpoint: look at its exceptions and traces, and at what was deployed last."
        " 3. All of them: look at what they share, such as a database, and at CPU and memory on"
        " the process dashboard.",
        "errors",
    )


def _endpoint_errors() -> dict[str, object]:
    return _alert(
        "ApiMetricsEndpointErrors",
        f"{r.error_ratio(r.ENDPOINT)} > {ERROR_RATIO} and {r.requests(r.ENDPOINT)} > {ENOUGH}",
        "10m",
        "warning",
        f"{{{{ $labels.{q.METHOD} }}}} {{{{ $labels.{q.ROUTE} }}}} of {{{{ $labels.job }}}} answers"
        " {{ $value | humanizePercentage }} with 5xx",
        f"More than {ERROR_RATIO:.0%} of this endpoint's requests failed for ten minutes; of the"
        " service's it may be few. 1. On the errors dashboard choose the route: since when, which"
        " status, exceptions or not. 2. Are all consumers affected? If one is, compare what it"
        " sends. 3. Follow an exemplar or a trace of a failed request.",
        "errors",
    )


def _slow() -> dict[str, object]:
    return _alert(
        "ApiMetricsSlow",
        f"{r.p95(r.ENDPOINT)} > {SLOW} and {r.requests(r.ENDPOINT)} > {ENOUGH}",
        "10m",
        "warning",
        f"{{{{ $labels.{q.METHOD} }}}} {{{{ $labels.{q.ROUTE} }}}} of {{{{ $labels.job }}}} has a"
        " p95 of {{ $value | humanizeDuration }}",
        f"For ten minutes 5 of 100 requests took longer than {SLOW} s up to their last byte. 1. On"
        " the endpoints dashboard compare p50 with p95: do all requests slow down, or some?"
        " 2. Do bodies grow, or requests? 3. On the process dashboard look for CPU that is used up."
        " An endpoint that streams for long by design belongs into an exception of this rule.",
        "endpoints",
    )


def _down() -> dict[str, object]:
    return _alert(
        "ApiMetricsTargetDown",
        f"up == 0 and on (job, instance) {r.KNOWN}",
        "2m",
        "warning",
        "{{ $labels.instance }} of {{ $labels.job }} does not answer scrapes",
        "The target has shown requests before, and Prometheus has not reached it for two minutes."
        " 1. Does the process run, and does it answer requests? 2. If it does: does the scrape take"
        " longer than Prometheus waits (scrapes on the uptime dashboard), was its port or what it"
        " asks for authorization changed? 3. The state of the target in Prometheus has the error.",
        "uptime",
    )


def _silent() -> dict[str, object]:
    return _alert(
        "ApiMetricsNoHeartbeat",
        f"group by (job) (present_over_time({r.requests(r.JOB)}[1d])) unless on (job) {_ALIVE}",
        "5m",
        "critical",
        "No instance of {{ $labels.job }} is seen any more",
        "The service had requests within the last day, and now Prometheus reaches none of its"
        " targets, or knows of none. 1. Does it run? 2. If it does: is it still among Prometheus'"
        " targets, and under this job? 3. If it was taken out of service on purpose, silence the"
        " alert: it ends by itself a day after the last request.",
        "uptime",
    )


def _unasked() -> dict[str, object]:
    rate = r.requests(r.JOB)
    return _alert(
        "ApiMetricsNoRequests",
        f"avg_over_time({rate}[1h]) > {ENOUGH} unless on (job) {rate} > 0 and on (job) {_ALIVE}",
        "10m",
        "warning",
        "{{ $labels.job }} runs, and gets no requests any more",
        "In the last hour the service had requests, and for ten minutes it had none, while it"
        " answers scrapes. 1. Do requests reach it?"
        " Look at the load balancer, DNS and certificates. 2. Behind a Collector: do its"
        " processes still push? 3. Services that rest by nature belong into an exception of this"
        " rule.",
        "overview",
    )


def _lost() -> dict[str, object]:
    by = ("job", "exporter", "reason")
    failed, dropped = (f"{q.rate(name, by, r.WINDOW)} > 0" for name in (q.FAILED, q.DROPPED))
    return _alert(
        "ApiMetricsExportsLost",
        f"{failed} or {dropped}",
        "15m",
        "warning",
        '{{ $labels.exporter }} of {{ $labels.job }} loses {{ printf "%.2g" $value }} requests a'
        " second ({{ $labels.reason }})",
        "The app is well; what it tells a vendor is not. 1. The log has a line a minute with the"
        " exporter's error: certificates, proxies, a wrong key. 2. Reason queue_full: the backend"
        " is slower than the traffic; lower `sample_rate`. Metrics are whole all the same.",
        "process",
    )
