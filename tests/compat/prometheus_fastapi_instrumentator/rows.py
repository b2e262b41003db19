"""What prometheus-fastapi-instrumentator 8.1.0 does, and where ours differs on purpose."""

from typing import Final

from tests.compat.row import OTHER, Row

SECTIONS: Final[dict[str, dict[int, Row]]] = {
    "Default metrics of an `Instrumentator`": {
        101: Row("`http_requests_total{handler,method,status}`", OTHER),
        102: Row("`http_request_size_bytes{handler}`, `http_response_size_bytes{handler}`: summaries of Content-Length", "what is no number is 0; upstream fails the request"),
        103: Row("`http_request_duration_highr_seconds`: without labels, 21 bounds"),
        104: Row("`http_request_duration_seconds{handler,method}`: 0.1, 0.5, 1", OTHER),
        105: Row("an uncaught exception counts as 5xx and goes on"),
        106: Row("`http` alone: no WebSocket"),
    },
    "`Instrumentator(...)`": {
        107: Row("`should_group_status_codes`"),
        108: Row("`should_group_untemplated`"),
        109: Row("`should_ignore_untemplated`"),
        110: Row("`should_include_root_path`"),
        111: Row("`should_round_latency_decimals`, `round_latency_decimals`"),
        112: Row("`should_respect_env_var`, `env_var_name`"),
        113: Row("`should_instrument_requests_inprogress`, `inprogress_name`, `inprogress_labels`; excluded handlers do not count", "the gauge is in the registry that was given; upstream always puts it into the global one"),
        114: Row("`should_exclude_streaming_duration`"),
        115: Row("`excluded_handlers`"),
        116: Row("`body_handlers`"),
        117: Row("`registry`, the attributes that others read", "`custom_labels`, `reader` and `meter_provider` besides"),
        118: Row("`PROMETHEUS_MULTIPROC_DIR` and its former name"),
    },
    "Methods": {
        119: Row("`instrument(app, metric_namespace, metric_subsystem, should_only_respect_2xx_for_highr, latency_highr_buckets, latency_lowr_buckets)`", "a second app on one registry is measured too; upstream leaves it out"),
        120: Row("`expose(app, should_gzip, endpoint, include_in_schema, tags, **kwargs)`: text 1.0.0, gzip where it is asked for", "with `reader`, OpenMetrics with exemplars for clients that ask for it"),
        121: Row("`add(...)`: functions and coroutine functions of `Info`", "one that raises fails no request, and the others are called"),
        122: Row("`PrometheusInstrumentatorMiddleware`, added by hand"),
    },
    "`metrics`": {
        123: Row("`latency`, `requests`"),
        124: Row("`request_size`, `response_size`, `combined_size`"),
        125: Row("`should_include_handler`, `should_include_method`, `should_include_status`, names, `registry`"),
        126: Row("`custom_labels`", "have their values, in ready-made metrics too, where upstream fails each request; they may be callables"),
    },
    "Routes": {
        127: Row("mounts: `/sub/x/{y}`; of an app without routes the mount's path", "a mount that matches decides, as in Starlette; hosts have the templates of their routes"),
        128: Row("included routers: `/r/z/{q}`"),
        129: Row("405 keeps the template; a redirect to another slash has the path that was asked for"),
    },
}  # fmt: skip
