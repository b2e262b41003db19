"""The page that lists all options, made from `Config` itself.

python -m otel_apimetrics.config.reference > docs/configuration.md
"""

import ast
import inspect
import sys
from dataclasses import MISSING, Field, fields
from itertools import pairwise

from otel_apimetrics.config import model
from otel_apimetrics.config.building import (
    EXCLUDED_URLS,
    OPTIONS,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    variable_of,
)
from otel_apimetrics.config.model import Config
from otel_apimetrics.config.policy import VARIABLES

COMMAND = "python -m otel_apimetrics.config.reference > docs/configuration.md"

_SHARED = {
    "capture_request_headers_extra": REQUEST_HEADERS,
    "capture_response_headers_extra": RESPONSE_HEADERS,
}
"""Fields that only a variable of contrib's instrumentations sets."""

_PAGE = """\
# Configuration

<!-- Generated: edit src/otel_apimetrics/config/ and run
     {command} -->

Redaction is always on, no body is captured unless you ask for it, and a wrong name or value
is an error that says what is allowed.

## Options

Each option is a keyword of `ApiMetricsInstrumentor().instrument(...)` and of
`instrument_app(...)`, and a key of the declarative file. Each environment variable is also a
flag of `opentelemetry-instrument`: `OTEL_APIMETRICS_CAPTURE_BODY` is
`--apimetrics_capture_body`.

{table}

The variables of the redaction policy:

{redaction}

## Precedence

1. The keyword, from code or from the declarative file.
2. The environment variable.
3. The default.

This holds for each option by itself, and for each field of `redaction`: a mapping fills the
fields that it leaves out from the environment. A `RedactionPolicy` object replaces them all.
`None` and the empty string mean "not given".

Two settings of OpenTelemetry's own instrumentations are added to ours, whatever they are:
`{excluded_urls}` to `excluded_paths`, and to `capture_headers`, for each side,
`{request_headers}` and
`{response_headers}`.

How values are written:

- A list is a list in code and YAML, and is separated by commas in a string.
- Lists of regular expressions may be a JSON array instead; an expression with a comma, such
  as `/v[0-9]{{1,2}}/`, needs it: `["/v[0-9]{{1,2}}/"]`. A backslash is doubled in JSON.
- `OTEL_APIMETRICS_REDACTION_PATTERNS` is a JSON array, a JSON object (name and expression),
  or one expression a line.
- An expression that repeats a group with a quantifier inside, such as `(a+)+`, is refused:
  its time can grow exponentially with what a client sends.
- A callable may be async, except under WSGI and in `sample_rate`. An import path
  `module:name` is resolved at start, from the directory that the app starts in.

A wrong name or value raises `ConfigError` from code. Under `opentelemetry-instrument` it is
one log line, and the plugin stays off. That includes an `OTEL_APIMETRICS_*` variable that is
not in the table.

## Callables

`identify`, `label`, `skip` and `sample_rate` may be callables of the finished exchange. It is not
redacted yet, so they must not keep it. What they raise is counted, and the request goes on: also
`SystemExit`, `asyncio.CancelledError` and whatever else a `raise` of theirs begins. Of the hooks
of exporters (`skip` of Moesif, `exclude` and the masks of Apitally) that is so too: they cost
their own exchange, or its body. What comes from outside while one runs is the app's and passes:
the exception of a signal handler (an alarm, `KeyboardInterrupt`), a timeout or kill of gevent's,
a cancellation by Trio. The record is made all the same.

`async` ones run beside what the app still does behind its last byte, in a task of their own with a
copy of the request's context. A request that has no answer after five seconds is recorded without.
The shutdown of the app's lifespan waits for them. In an event loop without a lifespan whoever
called the app waits instead, since the loop may end with the request.

```python
from collections.abc import Mapping
from otel_apimetrics import Consumer, Exchange

def who(exchange: Exchange) -> Consumer | str | None:
    headers = dict(exchange.request.headers)  # names in lower case
    tenant = headers.get("x-tenant")
    return None if tenant is None else Consumer(id=tenant, group=headers.get("x-plan"))

def versions(exchange: Exchange) -> Mapping[str, str]:
    return {{"version": exchange.request.path.split("/")[1]}}

def is_probe(exchange: Exchange) -> bool:
    return exchange.request.route == "/healthz"

def share(exchange: Exchange) -> float:
    return 1.0 if exchange.error else 0.1
```

`Exchange`, in `otel_apimetrics.exchange`, has `request` (method, path, query, route, headers,
body, client_address and more), `response` (status, headers, body; `None` where there was none),
`duration_ns`, `consumer`, `labels`, `metadata`, `error` and `exception`.
Without code: `OTEL_APIMETRICS_IDENTIFY=myapp.hooks:who`.

## The declarative file

With `OTEL_CONFIG_FILE=otel.yaml` and the package `opentelemetry-configuration`:

```yaml
file_format: "1.0"
propagator:
  composite:
    - tracecontext:
    - baggage:
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: http://localhost:4318/v1/traces
meter_provider:
  readers:
    - periodic:
        exporter:
          otlp_http:
            endpoint: http://localhost:4318/v1/metrics
instrumentation/development:
  python:
    apimetrics:
      identify: [header:x-consumer-id, client_address]
      capture_body: errors
      excluded_paths: ["^/health$"]
      environment: ${{DEPLOYMENT:-development}}
      redaction:
        deny: [iban, users.*.email]
```

An exporter of ours stands there as any other does, with its options as they are called in code
(`exporter: {{moesif: {{application_id: ...}}}}`): it gets sampled requests, and stays there alone
where `exporters` names it, too.

`enabled: false` in this section turns the plugin off. The file takes the place of the SDK's own
`OTEL_*` variables: without `meter_provider` there are no metrics, without `tracer_provider` no
spans. Without `propagator` OpenTelemetry's own instrumentation of Flask fails at each request,
with or without us: it takes what there is to extract, nothing, for a context. `tracer_provider`
and `meter_provider` of the table above are objects, so for code alone.
"""


def page() -> str:
    """Return the page, in Markdown."""
    return _PAGE.format(
        command=COMMAND,
        table=_table(),
        redaction="\n".join(f"- `{name}`" for name in VARIABLES.values()),
        excluded_urls=EXCLUDED_URLS,
        request_headers=REQUEST_HEADERS,
        response_headers=RESPONSE_HEADERS,
    )


def notes_of(name: str) -> str:
    """Return the last paragraph that the docstring of a field must have.

    Args:
        name: a field of `Config`.
    """
    default, variable = _default(_fields()[name]), _variable(name)
    return f"Default: {default}. Environment: {variable}."


def docstrings() -> dict[str, list[str]]:
    """Return the docstring of each field of `Config` as paragraphs, each on one line."""
    module = ast.parse(inspect.getsource(model))
    body = next(
        node.body
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name == Config.__name__
    )
    found: dict[str, list[str]] = {}
    for node, following in pairwise(body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            paragraphs = str(following.value.value).split("\n\n")
            found[node.target.id] = [" ".join(part.split()) for part in paragraphs if part.strip()]
    return found


def _table() -> str:
    meanings = docstrings()
    rows = ["| Option | Environment variable | Default | Meaning |", "| --- | --- | --- | --- |"]
    for name, field in _fields().items():
        option = f"`{name}`" if name in OPTIONS else "variable only"
        rows.append(
            f"| {option} | {_variable(name)} | {_default(field)} |"
            f" {meanings[name][0].replace('|', chr(92) + '|')} |"
        )
    return "\n".join(rows)


def _fields() -> dict[str, "Field[object]"]:
    return {field.name: field for field in fields(Config) if field.init and field.repr}


def _variable(name: str) -> str:
    variable = _SHARED.get(name) or variable_of(name)
    return f"`{variable}`" if variable else "none (code only)"


def _default(field: "Field[object]") -> str:
    value = field.default
    if value is MISSING:
        return "the built-in rules"
    if value is None or value == ():
        return "none"
    if isinstance(value, (tuple, frozenset)):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
