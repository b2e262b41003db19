"""What prometheus-flask-exporter 0.23.2 does, row by row, and where ours differs on purpose."""

from typing import Final, NamedTuple


class Row(NamedTuple):
    """A feature."""

    feature: str
    differs: str = ""
    """How ours differs, and why; empty where it does not."""


SECTIONS: Final[dict[str, dict[int, Row]]] = {
    "Default metrics": {
        1: Row("`flask_http_request_duration_seconds{method,path,status}`: a histogram"),
        2: Row("`flask_http_request_total{method,status}`"),
        3: Row("`flask_http_request_exceptions_total{method,status}`; its HELP and TYPE come before any sample"),
        4: Row("`flask_exporter_info{version}`, without default labels"),
        5: Row("`_created` beside each counter, histogram and summary, until it is switched off"),
        6: Row("OpenMetrics", "with the trace of a request as exemplar, where there is one"),
        7: Row("the final status; HEAD, OPTIONS, 404, 405 and answers of earlier hooks count"),
        8: Row("the raw path of unknown URLs, without a limit to their number"),
        9: Row("scrapes do not count; other methods and refusals at the endpoint do"),
        10: Row("an uncaught exception counts once in each; an aborted request is none"),
        11: Row("an exception with an error handler has the handler's status"),
        12: Row("a duration ends when the view returns"),
        13: Row("a duration begins at our `before_request`"),
        14: Row("metrics of the process and the interpreter, with the default registry"),
    },
    "`PrometheusMetrics(app, ...)`": {
        15: Row("`path`"),
        16: Row("`export_defaults`"),
        17: Row("`defaults_prefix`, `NO_PREFIX`"),
        18: Row("`group_by` is about durations alone"),
        19: Row("`group_by='endpoint'`"),
        20: Row("`group_by='url_rule'`"),
        21: Row("`group_by='full_path'`"),
        22: Row("`group_by` any attribute of the request", 'one that is missing is `""`; upstream fails the response'),
        23: Row("`group_by` a function"),
        24: Row("`group_by` a lambda or a `partial` is refused", "upstream takes lambdas with newer versions of prometheus_client, against its own word"),
        25: Row("`group_by_endpoint=True` warns"),
        26: Row("`buckets`"),
        27: Row("`default_latency_as_histogram=False`"),
        28: Row("`default_labels`", "one with a built-in label's name is refused at once; upstream fails each response"),
        29: Row("`static_labels` warns"),
        30: Row("`response_converter`"),
        31: Row("`excluded_paths`"),
        32: Row("`exclude_user_defaults`"),
        33: Row("`metrics_decorator`"),
        34: Row("`registry`, looked up when the instance is made; it shows these metrics to others too"),
        35: Row("the attributes that others read"),
    },
    "Setup": {
        36: Row("`for_app_factory`, `init_app`"),
        37: Row("one instance, two apps", "both are tracked; upstream tracks the first"),
        38: Row("a second endpoint on one app is an AssertionError"),
        39: Row("`register_endpoint`"),
        40: Row("`export_defaults(...)`, until the first request"),
        41: Row("`register_default`"),
        42: Row("`start_http_server`", "a port that is taken is a `ConfigError`; upstream ends a thread"),
        43: Row("`generate_metrics`"),
        44: Row("`DEBUG_METRICS`"),
        45: Row("`PROMETHEUS_MULTIPROC_DIR` and its former name", "may be set after the import"),
    },
    "Endpoint": {
        46: Row("`?name[]=`"),
        47: Row("`Accept`"),
        48: Row("gzip from the port of the classes for many processes, not from the app"),
        49: Row("`?name[]=` with many processes", "upstream answers 500 in the app and nothing on a port"),
    },
    "Decorators": {
        50: Row("`counter`"),
        51: Row("`histogram`"),
        52: Row("`summary`"),
        53: Row("`gauge`: calls in progress", "goes back after `SystemExit` too"),
        54: Row("`namespace`, `subsystem`, `unit`, `buckets`, `multiprocess_mode`"),
        55: Row("labels: values, and callables that get nothing or the response", 'methods, objects and types too; one that raises is `""`, where upstream fails the response'),
        56: Row("`labels` that are no dictionary are a TypeError"),
        57: Row("a first zero where all labels are known"),
        58: Row("labels see a response, whatever a view returns; of other functions what they return"),
        59: Row("labels see the answer of an error handler, or 500", "an exception of a function that is no view goes on to its caller; upstream returns the handler's answer to it"),
        60: Row("named endpoints, stacked decorators"),
        61: Row("async views", "`do_not_track` and `exclude_all_metrics` too; upstream answers 500"),
        62: Row("outside a request a RuntimeError"),
        63: Row("a name that is taken is a ValueError"),
        64: Row("`do_not_track`"),
        65: Row("`exclude_all_metrics`", "an exception goes on; upstream answers with its text"),
        66: Row("`info`"),
        67: Row("the marks of a request: `prom_do_not_track`, `prom_exclude_all`, `prom_start_time`"),
    },
    "Integrations": {
        68: Row("`ConnexionPrometheusMetrics`", "on Connexion 3, where upstream answers 500"),
        69: Row("`RESTfulPrometheusMetrics`", "resources may return a single value"),
        70: Row("blueprints, views of classes, resources"),
    },
    "Many processes": {
        71: Row("the directory is there, or a ValueError"),
        72: Row("`MultiprocessPrometheusMetrics`"),
        73: Row("`MultiprocessInternalPrometheusMetrics`, `GunicornInternalPrometheusMetrics`"),
        74: Row("`GunicornPrometheusMetrics`"),
        75: Row("`UWsgiPrometheusMetrics`"),
        76: Row("the sum over workers, the dead ones included"),
        77: Row("what lies in the directory"),
    },
}  # fmt: skip
