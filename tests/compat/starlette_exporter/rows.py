"""What starlette_exporter 0.24.0 does, and where ours differs on purpose."""

from typing import Final

from tests.compat.row import OTHER, Row

SECTIONS: Final[dict[str, dict[int, Row]]] = {
    "Metrics of `PrometheusMiddleware`": {
        201: Row("`starlette_requests_total`, `starlette_request_duration_seconds`: `{method,path,status_code,app_name}`", OTHER),
        202: Row("`starlette_requests_in_progress{method,app_name}`", OTHER),
        203: Row("an uncaught exception is a 500 and goes on"),
        204: Row("a client that is gone before there is a response is a 499"),
        205: Row("`http` alone: no WebSocket"),
    },
    "`PrometheusMiddleware(app, ...)`": {
        206: Row("`prefix`, `app_name`", "two apps of other labels under one prefix: the log says that the second is left out; upstream fails its requests"),
        207: Row("`group_paths`"),
        208: Row("`filter_unhandled_paths`: without 404 and 405"),
        209: Row("`group_unhandled_paths`: `__unknown__`, with a UserWarning where both are set"),
        210: Row("`skip_paths`: whole paths below the root"),
        211: Row("`skip_methods`"),
        212: Row("`optional_metrics`: sizes by Content-Length", "what is no number is 0; upstream fails the request. The log says which there is none of"),
        213: Row("`labels`: values, functions and coroutine functions of the request; one that raises is empty", "names that cannot be and functions that do not take the request are refused at once; upstream fails each request"),
        214: Row("a label may read the body", "and the app reads it too; upstream takes it away"),
        215: Row("`from_header`"),
        216: Row("`from_response_header`"),
        217: Row("`exemplars`, with the request or without", "a function that raises, or too long an exemplar, fails no request"),
        218: Row("`always_use_int_status`"),
        219: Row("`buckets`", "those that are not ascending numbers are refused at once; upstream fails each request"),
    },
    "Endpoints": {
        220: Row("`handle_metrics`, `handle_openmetrics`", "show what the middleware around them measures with, where it has a `registry` or a `reader`; with the trace of a request as exemplar of durations, where there is one and the app gives none"),
    },
    "Routes": {
        221: Row("mounts, included routers, `root_path`"),
        222: Row("two apps on one registry count together", "one inside the other too, each request once; upstream leaves the inner one out, or counts twice. Apps with a `registry`, `reader` or `prefix` of their own measure each into its own, by its own templates"),
    },
}  # fmt: skip
