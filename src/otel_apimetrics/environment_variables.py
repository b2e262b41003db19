"""The environment variables that set the plugin's options.

The entry point `opentelemetry_environment_variables` names this module, so each constant
also becomes a flag of `opentelemetry-instrument`: `OTEL_APIMETRICS_CAPTURE_BODY` is
`--apimetrics_capture_body`. An `OTEL_APIMETRICS_*` variable that is not here is an error.

An empty variable counts as not set (OpenTelemetry specification, "SDK environment
variables"). Lists are separated by commas.
"""

OTEL_APIMETRICS_IDENTIFY = "OTEL_APIMETRICS_IDENTIFY"
"""Who called: `header:NAME`, `basic`, `bearer:CLAIM`, `key:HEADER`, `readme_key:HEADER`,
`client_address` or an import path `module:name`. Commas chain them; the first that answers wins."""

OTEL_APIMETRICS_LABEL = "OTEL_APIMETRICS_LABEL"
"""Import path `module:name` of a callable that gives an exchange its labels."""

OTEL_APIMETRICS_METRIC_LABELS = "OTEL_APIMETRICS_METRIC_LABELS"
"""List of the labels that become metric attributes."""

OTEL_APIMETRICS_SKIP = "OTEL_APIMETRICS_SKIP"
"""Import path `module:name` of a callable: which exchanges leave no metric and no export."""

OTEL_APIMETRICS_REDACTION_DENY = "OTEL_APIMETRICS_REDACTION_DENY"
"""List of further names and dotted paths to redact."""

OTEL_APIMETRICS_REDACTION_ALLOW = "OTEL_APIMETRICS_REDACTION_ALLOW"
"""List of names and dotted paths that the name rules leave alone."""

OTEL_APIMETRICS_REDACTION_PATTERNS = "OTEL_APIMETRICS_REDACTION_PATTERNS"
"""Further value patterns: a JSON array or object of regular expressions, or one a line."""

OTEL_APIMETRICS_REDACTION_MASK = "OTEL_APIMETRICS_REDACTION_MASK"
"""What takes the place of a redacted value: `mask`, `remove`, `hash`, `last4` or `tokenise`."""

OTEL_APIMETRICS_REDACTION_KEY = "OTEL_APIMETRICS_REDACTION_KEY"
"""The secret key of `hash` and `tokenise`; without one, each process has its own."""

OTEL_APIMETRICS_REDACTION_PII = "OTEL_APIMETRICS_REDACTION_PII"
"""`true` masks e-mail addresses, phone numbers and IP addresses too."""

OTEL_APIMETRICS_REDACTION_SENSITIVE_PATHS = "OTEL_APIMETRICS_REDACTION_SENSITIVE_PATHS"
"""List (or JSON array) of regular expressions of paths whose bodies are not recorded; `off`
records all."""

OTEL_APIMETRICS_REDACTION_CALLBACK = "OTEL_APIMETRICS_REDACTION_CALLBACK"
"""Import path `module:name` of a callable that takes out more of a redacted text."""

OTEL_APIMETRICS_CAPTURE_BODY = "OTEL_APIMETRICS_CAPTURE_BODY"
"""Which bodies are captured: `off`, `errors`, `all` or `schema`."""

OTEL_APIMETRICS_CAPTURE_HEADERS = "OTEL_APIMETRICS_CAPTURE_HEADERS"
"""Which headers are captured: `safe`, `all`, `off`, or a list of names."""

OTEL_APIMETRICS_MAX_BODY_SIZE = "OTEL_APIMETRICS_MAX_BODY_SIZE"
"""How much of each body is captured: bytes, or a size such as `16KiB`."""

OTEL_APIMETRICS_CONTENT_TYPES = "OTEL_APIMETRICS_CONTENT_TYPES"
"""List of the media types whose bodies are captured, wildcards allowed."""

OTEL_APIMETRICS_EXCLUDED_PATHS = "OTEL_APIMETRICS_EXCLUDED_PATHS"
"""List (or JSON array) of regular expressions of paths and URLs to leave alone."""

OTEL_APIMETRICS_EXCLUDED_USER_AGENTS = "OTEL_APIMETRICS_EXCLUDED_USER_AGENTS"
"""List (or JSON array) of regular expressions of user agents to leave alone."""

OTEL_APIMETRICS_TRUSTED_PROXIES = "OTEL_APIMETRICS_TRUSTED_PROXIES"
"""List of addresses and networks whose forwarding headers are believed."""

OTEL_APIMETRICS_CLIENT_IP = "OTEL_APIMETRICS_CLIENT_IP"
"""How client addresses are recorded: `truncated`, `full`, `hash` or `off`."""

OTEL_APIMETRICS_SAMPLE_RATE = "OTEL_APIMETRICS_SAMPLE_RATE"
"""Share of exchanges handed to exporters, 0 to 1, or an import path `module:name`."""

OTEL_APIMETRICS_MAX_CONSUMERS = "OTEL_APIMETRICS_MAX_CONSUMERS"
"""How many consumers the metrics tell apart."""

OTEL_APIMETRICS_METRICS = "OTEL_APIMETRICS_METRICS"
"""List of metric sets: `default`, `all`, `semconv`; or `off`."""

OTEL_APIMETRICS_ENVIRONMENT = "OTEL_APIMETRICS_ENVIRONMENT"
"""Name of the deployment environment, such as `production`."""

OTEL_APIMETRICS_EXPORTERS = "OTEL_APIMETRICS_EXPORTERS"
"""List of `opentelemetry_traces_exporter` entry points that get every exchange."""
