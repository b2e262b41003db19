"""Names of attributes and metrics, units and buckets, each in one place.

Stable HTTP semantic conventions come first; ours live under `apimetrics.*`. The body
attributes are spelled here because `opentelemetry-semantic-conventions` has no constant
for them yet (semantic-conventions pull request 3521).
"""

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"
SCOPE: Final = "otel_apimetrics"
"""Name of our tracer, meter and logger."""

# HTTP, stable
REQUEST_METHOD: Final = "http.request.method"
REQUEST_METHOD_ORIGINAL: Final = "http.request.method_original"
STATUS_CODE: Final = "http.response.status_code"
ROUTE: Final = "http.route"
URL_SCHEME: Final = "url.scheme"
URL_PATH: Final = "url.path"
URL_QUERY: Final = "url.query"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
CLIENT_ADDRESS: Final = "client.address"
CLIENT_PORT: Final = "client.port"
LOCAL_ADDRESS: Final = "network.local.address"
LOCAL_PORT: Final = "network.local.port"
PROTOCOL_VERSION: Final = "network.protocol.version"
USER_AGENT: Final = "user_agent.original"
ERROR_TYPE: Final = "error.type"
REQUEST_HEADER: Final = "http.request.header."
RESPONSE_HEADER: Final = "http.response.header."
SESSION_ID: Final = "session.id"
ENVIRONMENT: Final = "deployment.environment.name"
EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"

# HTTP, in development
REQUEST_BODY: Final = "http.request.body.content"
RESPONSE_BODY: Final = "http.response.body.content"
REQUEST_BODY_SIZE: Final = "http.request.body.size"
RESPONSE_BODY_SIZE: Final = "http.response.body.size"

# GraphQL, in development
GRAPHQL_NAME: Final = "graphql.operation.name"
GRAPHQL_TYPE: Final = "graphql.operation.type"

# Ours
CONSUMER_ID: Final = "apimetrics.consumer.id"
CONSUMER_NAME: Final = "apimetrics.consumer.name"
CONSUMER_EMAIL: Final = "apimetrics.consumer.email"
CONSUMER_GROUP: Final = "apimetrics.consumer.group"
COMPANY_ID: Final = "apimetrics.company.id"
COMPANY_NAME: Final = "apimetrics.company.name"
LABEL: Final = "apimetrics.label."
METADATA: Final = "apimetrics.metadata"
VALIDATION_ERRORS: Final = "apimetrics.validation_errors"
EXCHANGE_ID: Final = "apimetrics.exchange.id"
SKIPPED: Final = "apimetrics.exchange.skipped"
FRAMEWORK: Final = "apimetrics.exchange.framework"
DIRECTION: Final = "apimetrics.exchange.direction"
WEIGHT: Final = "apimetrics.exchange.weight"
BLOCKED_BY: Final = "apimetrics.exchange.blocked_by"
REQUEST_TRUNCATED: Final = "apimetrics.request.body.truncated"
RESPONSE_TRUNCATED: Final = "apimetrics.response.body.truncated"
WEBSOCKET: Final = "apimetrics.websocket."

# Metrics
REQUESTS: Final = "apimetrics.requests"
REQUEST_DURATION: Final = "apimetrics.request.duration"
EXCEPTIONS: Final = "apimetrics.exceptions"
VALIDATION_ERROR_COUNT: Final = "apimetrics.validation_errors"
METRIC_REQUEST_BODY_SIZE: Final = "apimetrics.request.body.size"
METRIC_RESPONSE_BODY_SIZE: Final = "apimetrics.response.body.size"
ACTIVE_REQUESTS: Final = "apimetrics.active_requests"
INTERNAL_ERRORS: Final = "apimetrics.internal.errors"
EXPORTER_SENT: Final = "apimetrics.exporter.sent"
EXPORTER_DROPPED: Final = "apimetrics.exporter.dropped"
EXPORTER_FAILED: Final = "apimetrics.exporter.failed"
SERVER_DURATION: Final = "http.server.request.duration"
SERVER_REQUEST_SIZE: Final = "http.server.request.body.size"
SERVER_RESPONSE_SIZE: Final = "http.server.response.body.size"

STARTUP_EVENT: Final = "apimetrics.app.startup"

DURATION_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
)  # fmt: skip
"""Seconds; the boundaries that the conventions advise for HTTP server durations."""

SIZE_BUCKETS: Final = (
    0, 100, 1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 4_000_000, 16_000_000, 64_000_000,
)  # fmt: skip
"""Bytes."""

OTHER: Final = "_OTHER"
"""The value of a key past its cap, and of a method outside the known ones."""

KNOWN_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}
)


def known_method(method: str) -> str:
    """Give a method as a key of metrics: clients may send any, so that others are one."""
    return method if method in KNOWN_METHODS else OTHER


_OF_THE_CONVENTIONS: Final = frozenset({GRAPHQL_NAME, GRAPHQL_TYPE})


def label_key(name: str) -> str:
    """Give the attribute of a label: its own name where the conventions have it."""
    return name if name in _OF_THE_CONVENTIONS else LABEL + name


def label_of(key: str) -> str | None:
    """Give the label that an attribute is of, `None` where it is no label's."""
    if key.startswith(LABEL):
        return key[len(LABEL) :]
    return key if key in _OF_THE_CONVENTIONS else None


MAX_HEADERS: Final = 40
"""Header attributes a side."""
MAX_PATH: Final = 2048
"""Characters of a path or a method that are kept."""
MAX_USER_AGENT: Final = 512
"""Characters of a User-Agent that are kept in its own attribute."""
MAX_QUERY: Final = 8192
"""Characters of a query that are kept."""
