"""The environment variables of the exporters.

An entry point `opentelemetry_environment_variables` names this module, so each constant also
becomes a flag of `opentelemetry-instrument`.
"""

OTEL_EXPORTER_MOESIF_APPLICATION_ID = "OTEL_EXPORTER_MOESIF_APPLICATION_ID"
"""The Collector Application Id, from Moesif's settings."""

OTEL_EXPORTER_MOESIF_BASE_URI = "OTEL_EXPORTER_MOESIF_BASE_URI"
"""Moesif's address, or that of a proxy of theirs, without `/v1`."""

OTEL_EXPORTER_MOESIF_API_VERSION = "OTEL_EXPORTER_MOESIF_API_VERSION"
"""The version of the API, put into each event."""

OTEL_EXPORTER_MOESIF_MAX_BODY_SIZE = "OTEL_EXPORTER_MOESIF_MAX_BODY_SIZE"
"""Bytes of a body that Moesif gets; a larger one is cut."""

OTEL_EXPORTER_MOESIF_DYNAMIC_SAMPLING = "OTEL_EXPORTER_MOESIF_DYNAMIC_SAMPLING"
"""`true` or `false`: follow the rates that are set in Moesif."""

OTEL_EXPORTER_MOESIF_TRANSACTION_ID_HEADER = "OTEL_EXPORTER_MOESIF_TRANSACTION_ID_HEADER"
"""`true` sends clients `x-moesif-transaction-id`, the id of their request's event."""

OTEL_EXPORTER_MOESIF_GOVERNANCE = "OTEL_EXPORTER_MOESIF_GOVERNANCE"
"""`true` follows Moesif's governance rules, which may answer in the app's place."""

OTEL_EXPORTER_MOESIF_SKIP = "OTEL_EXPORTER_MOESIF_SKIP"
"""Import path `module:name` of a callable: which exchanges Moesif does not get."""

OTEL_EXPORTER_MOESIF_TIMEOUT = "OTEL_EXPORTER_MOESIF_TIMEOUT"
"""Seconds without an answer after which an attempt has failed."""

OTEL_EXPORTER_MOESIF_CERTIFICATE = "OTEL_EXPORTER_MOESIF_CERTIFICATE"
"""File (PEM) of the authorities that are trusted, instead of `REQUESTS_CA_BUNDLE`."""

OTEL_EXPORTER_MOESIF_SPOOL = "OTEL_EXPORTER_MOESIF_SPOOL"
"""Directory where batches wait while Moesif is away."""

OTEL_EXPORTER_METLO_HOST = "OTEL_EXPORTER_METLO_HOST"
"""Metlo's collector: `http[s]://host[:port][/path]`."""

OTEL_EXPORTER_METLO_API_KEY = "OTEL_EXPORTER_METLO_API_KEY"
"""The key that Metlo made."""

OTEL_EXPORTER_METLO_MODE = "OTEL_EXPORTER_METLO_MODE"
"""`batch`, or `single` for a collector that takes one trace a request."""

OTEL_EXPORTER_METLO_WORKERS = "OTEL_EXPORTER_METLO_WORKERS"
"""Requests at a time in the mode `single`."""

OTEL_EXPORTER_METLO_ENVIRONMENT = "OTEL_EXPORTER_METLO_ENVIRONMENT"
"""The environment, as Metlo shows it."""

OTEL_EXPORTER_METLO_MAX_BODY_SIZE = "OTEL_EXPORTER_METLO_MAX_BODY_SIZE"
"""Bytes of a body that Metlo gets."""

OTEL_EXPORTER_METLO_DISABLED = "OTEL_EXPORTER_METLO_DISABLED"
"""`true`: Metlo gets nothing."""

OTEL_EXPORTER_METLO_TIMEOUT = "OTEL_EXPORTER_METLO_TIMEOUT"
"""Seconds without an answer after which an attempt has failed."""

OTEL_EXPORTER_METLO_CERTIFICATE = "OTEL_EXPORTER_METLO_CERTIFICATE"
"""File (PEM) of the authorities that are trusted, instead of `REQUESTS_CA_BUNDLE`."""

OTEL_EXPORTER_METLO_SPOOL = "OTEL_EXPORTER_METLO_SPOOL"
"""Directory where batches wait while Metlo is away."""

OTEL_EXPORTER_HAR_PATH = "OTEL_EXPORTER_HAR_PATH"
"""The file that is appended to."""

OTEL_EXPORTER_HAR_MOST_BYTES = "OTEL_EXPORTER_HAR_MOST_BYTES"
"""Bytes from which on that file is put aside under a number."""

OTEL_EXPORTER_README_API_KEY = "OTEL_EXPORTER_README_API_KEY"
"""The project's API key, of the exporter `readme`."""

OTEL_EXPORTER_README_URL = "OTEL_EXPORTER_README_URL"
"""The server of ReadMe Metrics."""

OTEL_EXPORTER_README_DEVELOPMENT_MODE = "OTEL_EXPORTER_README_DEVELOPMENT_MODE"
"""`true` keeps the logs apart from those of production."""

OTEL_EXPORTER_README_BACKGROUND_WORKER_MODE = "OTEL_EXPORTER_README_BACKGROUND_WORKER_MODE"
"""`false` delivers on the thread that served the request."""

OTEL_EXPORTER_README_MAX_BODY_SIZE = "OTEL_EXPORTER_README_MAX_BODY_SIZE"
"""Bytes of a body that ReadMe gets."""

OTEL_EXPORTER_README_BUFFER_LENGTH = "OTEL_EXPORTER_README_BUFFER_LENGTH"
"""The most logs in one request."""

OTEL_EXPORTER_README_DENYLIST = "OTEL_EXPORTER_README_DENYLIST"
"""List of names whose values ReadMe is not sent."""

OTEL_EXPORTER_README_ALLOWLIST = "OTEL_EXPORTER_README_ALLOWLIST"
"""List of the only names whose values ReadMe is sent."""

OTEL_EXPORTER_README_ALLOWED_HTTP_HOSTS = "OTEL_EXPORTER_README_ALLOWED_HTTP_HOSTS"
"""List of the only Host headers whose requests ReadMe is sent."""

OTEL_EXPORTER_README_ANONYMOUS = "OTEL_EXPORTER_README_ANONYMOUS"
"""The group of requests without a consumer; without it they are left out."""

OTEL_EXPORTER_README_DOCUMENTATION_HEADER = "OTEL_EXPORTER_README_DOCUMENTATION_HEADER"
"""`true` sends clients the address of their log, as `x-documentation-url`."""

OTEL_EXPORTER_README_BASE_LOG_URL = "OTEL_EXPORTER_README_BASE_LOG_URL"
"""Where the project's documentation stands; without it ReadMe is asked."""

OTEL_EXPORTER_README_DASHBOARD_URL = "OTEL_EXPORTER_README_DASHBOARD_URL"
"""The API of ReadMe's dashboard, which is asked."""

OTEL_EXPORTER_README_TIMEOUT = "OTEL_EXPORTER_README_TIMEOUT"
"""Seconds without a byte after which an attempt has failed."""

OTEL_EXPORTER_README_CERTIFICATE = "OTEL_EXPORTER_README_CERTIFICATE"
"""File (PEM) of the authorities that are trusted, instead of `REQUESTS_CA_BUNDLE`."""

OTEL_EXPORTER_README_SPOOL = "OTEL_EXPORTER_README_SPOOL"
"""Directory where logs wait that could not be delivered."""

OTEL_EXPORTER_APITALLY_WRITE_TOKEN = "OTEL_EXPORTER_APITALLY_WRITE_TOKEN"  # noqa: S105  a name
"""The write token that Apitally shows (SDK 1.x)."""

OTEL_EXPORTER_APITALLY_CLIENT_ID = "OTEL_EXPORTER_APITALLY_CLIENT_ID"
"""The client id of an app that was set up with the SDK before 1.0."""

OTEL_EXPORTER_APITALLY_ENV = "OTEL_EXPORTER_APITALLY_ENV"
"""Name of the environment there; that of the plugin, else `dev`."""

OTEL_EXPORTER_APITALLY_ENDPOINT = "OTEL_EXPORTER_APITALLY_ENDPOINT"
"""Base URL of the receiver."""

OTEL_EXPORTER_APITALLY_APP_VERSION = "OTEL_EXPORTER_APITALLY_APP_VERSION"
"""Version of the app."""

OTEL_EXPORTER_APITALLY_REQUEST_LOGS = "OTEL_EXPORTER_APITALLY_REQUEST_LOGS"
"""`true` or `false`: whether single requests are logged there."""

OTEL_EXPORTER_APITALLY_CAPTURE_QUERY = "OTEL_EXPORTER_APITALLY_CAPTURE_QUERY"
"""Whether request logs have the query."""

OTEL_EXPORTER_APITALLY_CAPTURE_REQUEST_HEADERS = "OTEL_EXPORTER_APITALLY_CAPTURE_REQUEST_HEADERS"
"""Whether request logs have the headers of the request."""

OTEL_EXPORTER_APITALLY_CAPTURE_REQUEST_BODY = "OTEL_EXPORTER_APITALLY_CAPTURE_REQUEST_BODY"
"""Whether request logs have the body of the request."""

OTEL_EXPORTER_APITALLY_CAPTURE_RESPONSE_HEADERS = "OTEL_EXPORTER_APITALLY_CAPTURE_RESPONSE_HEADERS"
"""Whether request logs have the headers of the response."""

OTEL_EXPORTER_APITALLY_CAPTURE_RESPONSE_BODY = "OTEL_EXPORTER_APITALLY_CAPTURE_RESPONSE_BODY"
"""Whether request logs have the body of the response."""

OTEL_EXPORTER_APITALLY_CAPTURE_EXCEPTIONS = "OTEL_EXPORTER_APITALLY_CAPTURE_EXCEPTIONS"
"""Whether request logs have exceptions."""

OTEL_EXPORTER_APITALLY_CAPTURE_LOGS = "OTEL_EXPORTER_APITALLY_CAPTURE_LOGS"
"""Whether request logs have what the app logs for the request."""

OTEL_EXPORTER_APITALLY_MASK_QUERY_PARAMS = "OTEL_EXPORTER_APITALLY_MASK_QUERY_PARAMS"
"""List (or JSON array) of further expressions of query parameters to mask."""

OTEL_EXPORTER_APITALLY_MASK_HEADERS = "OTEL_EXPORTER_APITALLY_MASK_HEADERS"
"""List (or JSON array) of further expressions of headers to mask."""

OTEL_EXPORTER_APITALLY_MASK_BODY_FIELDS = "OTEL_EXPORTER_APITALLY_MASK_BODY_FIELDS"
"""List (or JSON array) of further expressions of JSON members to mask."""

OTEL_EXPORTER_APITALLY_MASK_REQUEST_BODY = "OTEL_EXPORTER_APITALLY_MASK_REQUEST_BODY"
"""Import path `module:name` of a callable that masks request bodies."""

OTEL_EXPORTER_APITALLY_MASK_RESPONSE_BODY = "OTEL_EXPORTER_APITALLY_MASK_RESPONSE_BODY"
"""Import path `module:name` of a callable that masks response bodies."""

OTEL_EXPORTER_APITALLY_EXCLUDE_PATHS = "OTEL_EXPORTER_APITALLY_EXCLUDE_PATHS"
"""List (or JSON array) of further expressions of paths that are not logged."""

OTEL_EXPORTER_APITALLY_EXCLUDE = "OTEL_EXPORTER_APITALLY_EXCLUDE"
"""Import path `module:name` of a callable: which exchanges are not logged."""

OTEL_EXPORTER_APITALLY_SAMPLE_RATE = "OTEL_EXPORTER_APITALLY_SAMPLE_RATE"
"""Share of the requests that are logged; all are counted."""

OTEL_EXPORTER_APITALLY_TIMEOUT = "OTEL_EXPORTER_APITALLY_TIMEOUT"
"""Seconds that one attempt may take."""

OTEL_EXPORTER_APITALLY_CERTIFICATE = "OTEL_EXPORTER_APITALLY_CERTIFICATE"
"""File (PEM) of the authorities that are trusted, instead of `REQUESTS_CA_BUNDLE`."""

OTEL_EXPORTER_APITALLY_SPOOL = "OTEL_EXPORTER_APITALLY_SPOOL"
"""Directory where messages wait for the next process."""
