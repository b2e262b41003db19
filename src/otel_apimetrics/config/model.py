"""The configuration of one instrumented app."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal, TypeAlias

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from otel_apimetrics.config.given import ConfigError
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.identity import is_async
from otel_apimetrics.redaction import RedactionPolicy
from otel_apimetrics.typing import Identify, Label, Skip

BodyCapture: TypeAlias = Literal["off", "errors", "all", "schema"]
HeaderCapture: TypeAlias = Literal["safe", "all", "off"]
ClientIp: TypeAlias = Literal["truncated", "full", "hash", "off"]
Patterns: TypeAlias = tuple[re.Pattern[str], ...]


@lru_cache(maxsize=512)
def _accepts(content_types: tuple[str, ...], media_type: str) -> bool:
    return any(fnmatchcase(media_type, accepted) for accepted in content_types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options, validated and coerced. `build` makes it; its values are trusted here."""

    identify: Identify | None = None
    """Who called: a callable, a word (`header:NAME`, `basic`, `bearer:CLAIM`, `key:HEADER`,
    `readme_key:HEADER`, `client_address`), an import path `module:name`, or a list of these, of
    which the first that answers wins.

    Default: none. Environment: `OTEL_APIMETRICS_IDENTIFY`.
    """
    label: Label | None = None
    """Callable, or its import path `module:name`, that gives an exchange its labels.

    Default: none. Environment: `OTEL_APIMETRICS_LABEL`.
    """
    metric_labels: tuple[str, ...] = ()
    """Names of the labels that become metric attributes; other labels are on spans only.
    GraphQL requests have the labels `graphql.operation.name` and `graphql.operation.type` where
    their bodies are captured; named here, bodies are read for them, and not recorded for it.

    Default: none. Environment: `OTEL_APIMETRICS_METRIC_LABELS`.
    """
    skip: Skip | None = None
    """Callable, or its import path `module:name`, that says which exchanges leave no metric,
    no export and only a bare span; `excluded_paths` leaves no span of ours either.

    Default: none. Environment: `OTEL_APIMETRICS_SKIP`.
    """
    redaction: RedactionPolicy = field(default_factory=RedactionPolicy)
    """What is redacted besides the built-in rules: a `RedactionPolicy` or a mapping of its
    fields `deny`, `allow`, `patterns`, `mask`. Redaction is always on.

    Default: the built-in rules. Environment: `OTEL_APIMETRICS_REDACTION_*`.
    """
    capture_body: BodyCapture = "off"
    """Which bodies are captured: `off`; `errors`: status 400 and up, or an exception; `all`;
    `schema`: JSON with each value replaced by its type.

    Default: `off`. Environment: `OTEL_APIMETRICS_CAPTURE_BODY`.
    """
    capture_headers: HeaderCapture | frozenset[str] = "safe"
    """Which headers are captured, always redacted: `safe`: those that carry no secret and no
    person; `all`; `off`; or a list of names.

    Default: `safe`. Environment: `OTEL_APIMETRICS_CAPTURE_HEADERS`.
    """
    capture_request_headers_extra: tuple[str, ...] = ()
    """Expressions of request headers captured besides `capture_headers`, read from contrib's
    variable; they match a whole name, letter case ignored.

    Default: none. Environment: `OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST`.
    """
    capture_response_headers_extra: tuple[str, ...] = ()
    """The same for response headers.

    Default: none. Environment: `OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE`.
    """
    max_body_size: int = 16384
    """How much of each body is captured, bytes, 0 to 1048576; a string may be a size such as
    `16KiB` or `64k` (1 k is 1024 bytes). Set, it is the most for all exporters as well; unset,
    those that take more of a body get it, up to 256 KiB, and spans have what they would have.

    Default: `16384`. Environment: `OTEL_APIMETRICS_MAX_BODY_SIZE`.
    """
    content_types: tuple[str, ...] = (
        "application/json",
        "application/*+json",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/xml",
        "application/*+xml",
        "multipart/form-data",
        "text/*",
    )
    """Media types whose bodies are captured; `*` stands for any run of characters. Files in
    forms are told by their type and size alone; CSV and binary types are never captured.

    Default: `application/json`, `application/*+json`, `application/x-ndjson`,
    `application/x-www-form-urlencoded`, `application/graphql`, `application/xml`,
    `application/*+xml`, `multipart/form-data`, `text/*`.
    Environment: `OTEL_APIMETRICS_CONTENT_TYPES`.
    """
    excluded_paths: tuple[str, ...] = ()
    """Regular expressions searched in the path and in the full URL of a request; where one
    is found, the request leaves no span and no metric of ours, and exporters to vendors leave
    out the span that another instrumentation makes of it. `OTEL_PYTHON_EXCLUDED_URLS` is
    always added.

    Default: none. Environment: `OTEL_APIMETRICS_EXCLUDED_PATHS`.
    """
    excluded_user_agents: tuple[str, ...] = ()
    """Regular expressions searched in the `User-Agent`, letter case ignored; where one is
    found, the request counts as excluded.

    Default: none. Environment: `OTEL_APIMETRICS_EXCLUDED_USER_AGENTS`.
    """
    trusted_proxies: tuple[str, ...] = ()
    """Addresses, networks (`10.0.0.0/8`) and words (`loopback`, `private`, `*`) of proxies
    whose forwarding headers are believed; without any, the client is the peer.

    Default: none. Environment: `OTEL_APIMETRICS_TRUSTED_PROXIES`.
    """
    client_ip: ClientIp = "truncated"
    """How client addresses are recorded: `truncated`: to /24 or /48; `full`; `hash`; `off`.

    Default: `truncated`. Environment: `OTEL_APIMETRICS_CLIENT_IP`.
    """
    sample_rate: float | Callable[[Exchange], float] = 1.0
    """Share of the exchanges handed to exporters, 0 to 1; or a callable of the exchange, or
    its import path `module:name`, that returns the share. Metrics are never thinned.

    Default: `1.0`. Environment: `OTEL_APIMETRICS_SAMPLE_RATE`.
    """
    max_consumers: int = 1000
    """How many consumers the metrics tell apart, 1 to 1500; further ones are `_OTHER`.

    Default: `1000`. Environment: `OTEL_APIMETRICS_MAX_CONSUMERS`.
    """
    metrics: frozenset[str] = frozenset({"default"})
    """Sets of metrics: `default`; `all` adds body sizes and active requests; `semconv` adds
    `http.server.request.duration` and its sisters; `off`.

    Default: `default`. Environment: `OTEL_APIMETRICS_METRICS`.
    """
    environment: str | None = None
    """Name of the deployment environment: `deployment.environment.name` where the resource
    has none.

    Default: none. Environment: `OTEL_APIMETRICS_ENVIRONMENT`.
    """
    exporters: tuple[object, ...] = ()
    """What gets every exchange, whatever the trace sampler says: names of
    `opentelemetry_traces_exporter` entry points, or (in code) objects with `export`.

    Default: none. Environment: `OTEL_APIMETRICS_EXPORTERS`.
    """
    tracer_provider: TracerProvider | None = None
    """The tracer provider to use; without it, the global one.

    Default: none. Environment: none (code only).
    """
    meter_provider: MeterProvider | None = None
    """The meter provider to use; without it, the global one.

    Default: none. Environment: none (code only).
    """

    # The names of the options that the user gave: exporters may widen the others.
    given: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    _excluded_paths: Patterns = field(init=False, repr=False, compare=False)
    _excluded_user_agents: Patterns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile each expression once."""
        paths = tuple(re.compile(expression) for expression in self.excluded_paths)
        agents = tuple(
            re.compile(expression, re.IGNORECASE) for expression in self.excluded_user_agents
        )
        object.__setattr__(self, "_excluded_paths", paths)
        object.__setattr__(self, "_excluded_user_agents", agents)

    def accepts(self, media_type: str) -> bool:
        """Say whether a body of this media type may be captured.

        Args:
            media_type: type/subtype in lower case, without parameters; "" where unknown.
        """
        return _accepts(self.content_types, media_type)

    def excludes(self, path: str, url: str = "") -> bool:
        """Say whether a request is left alone, as OpenTelemetry's excluded URLs are searched.

        Args:
            path: path of the request, without the query.
            url: the full URL, where it is known.
        """
        return any(
            expression.search(path) or expression.search(url) for expression in self._excluded_paths
        )

    def excludes_user_agent(self, user_agent: str) -> bool:
        """Say whether requests with this `User-Agent` are left alone."""
        return any(expression.search(user_agent) for expression in self._excluded_user_agents)

    @property
    def has_async_hooks(self) -> bool:
        """Whether `identify`, `label` or `skip` must be awaited."""
        return bool(self._async_hooks())

    def require_sync(self, framework: str) -> None:
        """Refuse async hooks for a framework that cannot await them.

        Args:
            framework: its name for the message ("Flask").

        Raises:
            ConfigError: a hook is async; the message names each one.
        """
        if hooks := self._async_hooks():
            raise ConfigError(
                f"{' and '.join(hooks)} cannot be async under {framework}, a WSGI app awaits"
                " nothing: use a plain function."
            )

    def _async_hooks(self) -> tuple[str, ...]:
        hooks = {"identify": self.identify, "label": self.label, "skip": self.skip}
        return tuple(name for name, hook in hooks.items() if hook is not None and is_async(hook))
