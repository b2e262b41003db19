"""A whole exchange, redacted: which headers are recorded, and what of everything is said."""

from itertools import islice
from urllib.parse import unquote

from otel_apimetrics import _guard, semconv
from otel_apimetrics.config import Config
from otel_apimetrics.content import media_type
from otel_apimetrics.exceptions import MAX_MESSAGE, MAX_STACK, READ_MESSAGE
from otel_apimetrics.exchange import (
    Body,
    Company,
    Exchange,
    Headers,
    Request,
    Response,
    copier,
    evolve,
    first,
    maker,
)
from otel_apimetrics.header_choice import TAKEN, HeaderChoice
from otel_apimetrics.identity import LONGEST_ID, clean_id, hash_id, is_masked_key, mask_ip_header
from otel_apimetrics.redaction import FAILED, Redactor, Remembered, compiled

_new_body = maker(Body)
_with_line = copier(Request, "method", "host", "path", "query", "user_agent", "headers")
_with_content = copier(Request, "route", "headers", "body")
_with_headers_and_body = copier(Response, "headers", "body")
_with_both = copier(Exchange, "request", "response")

_MOST_LABELS = 40
"""Labels of one request that are kept: a span has room for so many attributes."""
_MOST_LINES = 128
"""Header lines of one side that are recorded: a server may take tens of thousands."""
_REMEMBERED_PATH = 256
"""Characters of a path whose verdict is remembered."""


class Masking:
    """Redacts exchanges by one configuration. Never raises; on an error nothing raw is left."""

    def __init__(self, config: Config, redactor: Redactor) -> None:
        self._config = config
        self._redactor = redactor
        self._request_choice = HeaderChoice(
            config.capture_headers, config.capture_request_headers_extra
        )
        self._response_choice = HeaderChoice(
            config.capture_headers, config.capture_response_headers_extra
        )
        self._schema = config.capture_body == "schema"
        paths = config.redaction.sensitive_paths
        self._sensitive_paths = [compiled(path) for path in paths]
        self._sensitive: Remembered[bool] = Remembered(self._judge_path)

    def redact_keys(self, exchange: Exchange) -> Exchange:
        """Redact what becomes a metric attribute: the consumer's id and group, the labels.

        An id that is itself a secret (a token, a key) is hashed: it still tells one
        consumer from another.
        """
        if exchange.consumer is None and not exchange.labels:
            return exchange
        try:
            return self._redact_keys(exchange)
        except Exception as error:
            _guard.swallow("masking.keys", error)
            return evolve(exchange, consumer=None, labels={})

    def _redact_keys(self, exchange: Exchange) -> Exchange:
        redactor, consumer = self._redactor, exchange.consumer
        if exchange.labels:
            labels = {
                redactor.text(name): clean_id(str(redactor.value(name, value))) or ""
                for name, value in islice(exchange.labels.items(), _MOST_LABELS)
            }
            exchange = evolve(exchange, labels=labels)
        if consumer is None:
            return exchange
        safe = self._id(consumer.id)
        group = consumer.group and clean_id(redactor.text(consumer.group))
        if safe == consumer.id and group == consumer.group:
            return exchange
        return evolve(exchange, consumer=evolve(consumer, id=safe, group=group))

    def redact_identity(self, exchange: Exchange) -> Exchange:
        """Give consumer and company the ids that backends know them by.

        Raises:
            Exception: whatever fails; the caller guards.
        """
        company = exchange.company
        if company is not None:
            exchange = evolve(exchange, company=evolve(company, id=self._id(company.id)))
        return exchange if exchange.consumer is None else self._redact_keys(exchange)

    def redact(self, exchange: Exchange, line: Request | None = None) -> Exchange:
        """Return what may leave the process of this exchange.

        Args:
            exchange: as `redact_keys` gave it.
            line: what `redact_line` made of its request, where it was asked already.
        """
        try:
            return self._redact(exchange, line or self.redact_line(exchange.request))
        except Exception as error:
            _guard.swallow("masking.redact", error)
            return blank(exchange)

    def redact_line(self, request: Request) -> Request:
        """Return the request with all redacted that is known before its body."""
        redactor, unchanged = self._redactor, self._redactor.unchanged
        method, host, agent = request.method, request.host, request.user_agent
        return _with_line(
            request,
            method if method in semconv.KNOWN_METHODS else redactor.text(method),
            host if host in unchanged else redactor.text(host),
            redactor.path(request.path),
            redactor.query(request.query) if request.query else "",
            agent if agent in unchanged else redactor.text(agent),
            (),
        )

    def _redact(self, exchange: Exchange, line: Request) -> Exchange:
        request, response = exchange.request, exchange.response
        sensitive = self._is_sensitive(exchange)
        safe_request = _with_content(
            line,
            request.route,
            self._headers(request.headers, self._request_choice),
            self._body(request.body, request.headers, sensitive=sensitive),
        )
        safe_response = response and _with_headers_and_body(
            response,
            self._headers(response.headers, self._response_choice),
            self._body(response.body, response.headers, sensitive=sensitive),
        )
        return self._redact_rest(_with_both(exchange, safe_request, safe_response))

    def _redact_rest(self, exchange: Exchange) -> Exchange:
        """Redact what most exchanges do not have."""
        redactor = self._redactor
        changes: dict[str, object] = {}
        consumer = exchange.consumer
        if consumer is not None and (consumer.name or consumer.email):
            changes["consumer"] = evolve(
                consumer,
                name=consumer.name and redactor.text(consumer.name),
                email=consumer.email and redactor.text(consumer.email),
            )
        if exchange.company is not None:
            changes["company"] = Company(
                id=self._id(exchange.company.id),
                name=exchange.company.name and redactor.text(exchange.company.name),
            )
        if exchange.session is not None:
            changes["session"] = self._id(exchange.session)
        if exchange.metadata:
            changes["metadata"] = {
                redactor.text(name): redactor.value(name, value)
                for name, value in exchange.metadata.items()
            }
        if exchange.exception is not None:
            changes["exception"] = evolve(
                exchange.exception,
                message=redactor.text(
                    exchange.exception.message,
                    truncated=len(exchange.exception.message) >= READ_MESSAGE,
                )[:MAX_MESSAGE],
                stacktrace=redactor.text(exchange.exception.stacktrace)[-MAX_STACK:],
            )
        if exchange.validation_errors:
            changes["validation_errors"] = tuple(
                evolve(
                    error, field=redactor.text(error.field), message=redactor.text(error.message)
                )
                for error in exchange.validation_errors
            )
        return evolve(exchange, **changes) if changes else exchange

    def _id(self, value: str) -> str:
        """Hash an id that is itself a secret."""
        if is_masked_key(value):  # its digest may well look like one
            return value
        cut = len(value) >= LONGEST_ID
        if value in self._redactor.unchanged and not cut:
            return value
        return value if self._redactor.text(value, truncated=cut) == value else hash_id(value)

    def _headers(self, headers: Headers, choice: HeaderChoice) -> Headers:
        if choice.nothing:
            return ()
        clean = choice.clean
        if clean.issuperset(headers):
            return headers[:_MOST_LINES]
        if len(headers) > _MOST_LINES:
            headers = tuple([header for header in headers if choice.takes(header[0])][:_MOST_LINES])
        shown: list[tuple[str, str]] = []
        for header in headers:
            shown += (header,) if header in clean else self._header(header, choice)
        return tuple(shown)

    def _header(self, header: tuple[str, str], choice: HeaderChoice) -> Headers:
        kind = choice.kinds[header[0]]
        if not kind:
            return ()
        is_told = kind == TAKEN
        name, value = header
        told = (header if is_told else (name, mask_ip_header(name, value, self._config.client_ip)),)
        masked = self._redactor.headers(told)
        if masked is told and is_told:
            choice.remember(header)
        return masked

    def _is_sensitive(self, exchange: Exchange) -> bool:
        """Tell whether this route's bodies are not recorded, whatever they hold."""
        request, response = exchange.request, exchange.response
        if request.body.content is None and (response is None or response.body.content is None):
            return False
        path, route = request.path, request.route or ""
        return self._is_sensitive_path(path) or bool(route and self._is_sensitive_path(route))

    def _is_sensitive_path(self, path: str) -> bool:
        short = len(path) <= _REMEMBERED_PATH
        return self._sensitive[path] if short else self._judge_path(path)

    def _judge_path(self, path: str) -> bool:
        plain = unquote(path)
        return any(pattern.search(plain) for pattern in self._sensitive_paths)

    def _body(self, body: Body, headers: Headers, *, sensitive: bool) -> Body:
        content = body.content
        if content is None:
            return body
        if sensitive:
            return Body(size=body.size)
        # A body without a type came this far only because it looks like JSON.
        declared = first(headers, "content-type")
        kind = media_type(declared) or "application/json"
        if not self._config.accepts(kind):
            safe = None
        elif self._schema:
            safe = self._redactor.schema(content, kind)
        else:
            safe = self._redactor.body(
                content, kind, truncated=body.truncated, content_type=declared
            )
        if safe is content:
            return body
        return _new_body(content=safe, size=body.size, truncated=body.truncated)


def blank(exchange: Exchange) -> Exchange:
    """Give the exchange without anything that a request or response said."""
    return evolve(
        exchange,
        request=evolve(
            exchange.request,
            path=FAILED,
            query="",
            user_agent="",
            headers=(),
            body=Body(size=exchange.request.body.size),
            client_address=None,
        ),
        response=exchange.response
        and evolve(exchange.response, headers=(), body=Body(size=exchange.response.body.size)),
        consumer=exchange.consumer and evolve(exchange.consumer, name=None, email=None),
        company=None,
        session=None,
        labels={},
        metadata={},
        exception=exchange.exception and evolve(exchange.exception, message=FAILED, stacktrace=""),
        validation_errors=(),
    )
