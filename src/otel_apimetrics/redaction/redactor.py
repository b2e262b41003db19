"""The one object that the rest of the package asks."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar, cast

from otel_apimetrics import _guard, interruptions
from otel_apimetrics.exchange import Headers
from otel_apimetrics.redaction.attributes import Addresses, GuardedKeys, SpanAttributes
from otel_apimetrics.redaction.bodies import Bodies, is_json
from otel_apimetrics.redaction.clean import Clean
from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.headers import HeaderFields
from otel_apimetrics.redaction.marks import FAILED, MARK, PLAIN, Marker
from otel_apimetrics.redaction.markup.nodes import Unquoted
from otel_apimetrics.redaction.markup.xml import Xml
from otel_apimetrics.redaction.names import SETTING, Names
from otel_apimetrics.redaction.personal import CUT_PERSONAL, PERSONAL
from otel_apimetrics.redaction.policy import RedactionPolicy
from otel_apimetrics.redaction.schema import schema_of
from otel_apimetrics.redaction.sieve import Sieve
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.urls import Urls
from otel_apimetrics.redaction.values import BUILT_IN, Rule, Values
from otel_apimetrics.redaction.walk import TooLargeError, Walk

_Method = TypeVar("_Method", bound=Callable[..., Any])

_DEFAULT: Final = RedactionPolicy()


def _closed(method: _Method) -> _Method:
    """Replace the whole part where its redaction fails: it never goes out raw."""

    @wraps(method)
    def guarded(*arguments: Any, **options: Any) -> Any:
        try:
            return method(*arguments, **options)
        except Exception as error:
            _guard.swallow(f"redaction.{method.__name__}", error)
            return FAILED

    return cast("_Method", guarded)


def _sieve(names: Names, deny: tuple[str, ...], more: tuple[Rule, ...]) -> Sieve | None:
    # Where any name or item may be the last of a denied path, a sieve would let nothing pass.
    if names.ends_open:
        return None
    try:
        return _sieve_of(deny, more)
    except ImportError:
        return None


@lru_cache(maxsize=16)
def _sieve_of(deny: tuple[str, ...], more: tuple[Rule, ...]) -> Sieve:
    return Sieve(deny, [rule.pattern.pattern for rule in (*BUILT_IN, *more)])


def _markup(names: Names, text: FreeText, urls: Urls, bare: Values, *, remove: bool) -> Xml:
    """Make the room of markup: a keyed mark has a blank, which an attribute need not quote."""
    in_bare = FreeText(names, bare, bare.mark)
    documents = Documents(names, bare, in_bare, remove=remove)
    bare_urls = Urls(Form(names, in_bare, documents, remove=remove), in_bare)
    return Xml(names, text, urls, Unquoted(in_bare, bare_urls), remove=remove)


class Redactor:
    """Masks what must not leave the process. Immutable once made, safe between threads.

    No method raises: what cannot be redacted is replaced by `[REDACTED:error]`. What is masked
    already stays as it is, and what holds nothing to mask comes back as the identical object.

    Args:
        policy: what to mask beyond the built-in rules, and what to leave.
        addresses: how client addresses are told in span attributes; `None` as they are.
        mark: writes the marks; `None`: as the policy says.
    """

    def __init__(
        self,
        policy: RedactionPolicy = _DEFAULT,
        addresses: Addresses | None = None,
        mark: Marker | None = None,
    ) -> None:
        remove = policy.mask == "remove"
        unquoted = PLAIN if mark is None else mark
        mark = policy.marker() if mark is None else mark
        more = PERSONAL if policy.pii else ()
        self._remove: Final = remove
        self._mark: Final = mark
        self._pii: Final = policy.pii
        self._callback: Final = policy.callback
        self._names: Final = Names(policy.deny, policy.allow)
        sieve = _sieve(self._names, policy.deny, more)
        self._values: Final = Values(policy.compiled(), sieve, mark, more)
        self._text: Final = FreeText(self._names, self._values, mark)
        self._documents: Final = Documents(self._names, self._values, self._text, remove=remove)
        self._form: Final = Form(self._names, self._text, self._documents, remove=remove)
        self._urls: Final = Urls(self._form, self._text)
        self._bodies: Final = Bodies(
            self._names,
            self._text,
            self._documents,
            self._form,
            _markup(
                self._names,
                self._text,
                self._urls,
                Values(policy.compiled(), sieve, unquoted, more),
                remove=remove,
            ),
            remove=remove,
        )
        self._headers: Final = HeaderFields(self._names, self._text, self._urls, remove=remove)
        self._clean_text: Final = Clean(self._text.scrub)
        self._clean_path: Final = Clean(self._urls.path)
        self._clean_query: Final = Clean(self._form.scrub)
        self._attributes: Final = SpanAttributes(
            self._names,
            self._text,
            self._form,
            self._urls,
            self._headers,
            self._named,
            addresses,
        )
        self.guarded_keys: Final[Mapping[str, bool]] = GuardedKeys(self._attributes.is_guarded)
        """Tells of each span attribute's key whether its value has to be looked at."""
        self.unchanged: Final[AbstractSet[str]] = (
            frozenset() if policy.callback else self._clean_text.known
        )
        """Texts that `text` leaves as they are, for those who look before they call."""

    @_closed
    def body(
        self, text: str, media_type: str, *, truncated: bool = False, content_type: str = ""
    ) -> str | None:
        """Mask a body.

        Args:
            text: content-coding removed and decoded; of multipart bytes that are no UTF-8 are
                lone surrogates (PEP 383).
            media_type: type and subtype in lower case, without parameters.
            truncated: the body goes on where it was not captured, so it may not parse, and a
                secret at its end may be incomplete.
            content_type: the whole Content-Type, where multipart has its boundary.

        Returns:
            The masked text, or `None`: this media type must not be captured.
        """
        scrub = self._bodies.scrub
        masked = scrub(text, media_type, cut=truncated, content_type=content_type)
        if masked is None:
            return None
        if self._pii and truncated:
            masked = CUT_PERSONAL.sub(MARK, masked)
        return self._last(
            masked,
            "body",
            lambda shown: scrub(shown, media_type, cut=truncated, content_type=content_type) or "",
        )

    def _last(self, masked: str, place: str, again: Callable[[str], str]) -> str:
        """Ask the user's callback, which may take out more and never bring anything back."""
        if self._callback is None:
            return masked
        try:
            shown = self._callback(masked, place)
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow("redaction.callback", error)
            return FAILED
        if not isinstance(shown, str):
            raise TypeError(f"the callback of redaction returned a {type(shown).__name__}")
        return masked if shown == masked else again(shown)

    @_closed
    def schema(self, text: str, media_type: str) -> str | None:
        """Give the shape of a JSON body: each leaf replaced by the name of its type.

        Args:
            text: content-coding removed and decoded.
            media_type: type and subtype in lower case, without parameters.

        Returns:
            JSON, or `None` where the body is no JSON or was cut.
        """
        if not is_json(media_type):
            return None
        shape = schema_of(text, self._names)
        return None if shape is None else self._documents.scrub(shape)

    @_closed
    def header(self, name: str, value: str) -> str:
        """Mask one header value. `Authorization` keeps its scheme, cookies keep their names.

        Args:
            name: in lower case.
            value: decoded.
        """
        masked = self._headers.one(name, value)
        return self._last(masked, f"header:{name}", lambda shown: self._headers.one(name, shown))

    def headers(self, headers: Headers) -> Headers:
        """Mask each header value, in order; with `mask="remove"` sensitive ones are left out."""
        try:
            masked = self._headers.all(headers)
            if self._callback is None:
                return masked
            return tuple((name, self.header(name, value)) for name, value in masked)
        except Exception as error:
            _guard.swallow("redaction.headers", error)
            return tuple((name, FAILED) for name, _ in headers)

    @_closed
    def query(self, query: str) -> str:
        """Mask a query: values only; order, repeats and escapes stay.

        Args:
            query: as sent, without the question mark.
        """
        return self._last(self._clean_query(query), "query", self._clean_query)

    @_closed
    def path(self, path: str) -> str:
        """Mask what the value rules find in the segments of a path."""
        return self._last(self._clean_path(path), "path", self._clean_path)

    @_closed
    def url(self, url: str) -> str:
        """Mask a URL: its userinfo, path and query; its fragment is dropped."""
        return self._last(self._urls.url(url), "url", self._urls.url)

    @_closed
    def text(self, text: str, *, truncated: bool = False) -> str:
        """Mask free text: value rules, and assignments such as `password=...`.

        Args:
            text: of any length.
            truncated: it went on, so that a secret at its end may be incomplete.
        """
        masked = self._last(self._clean_text(text), "text", self._clean_text)
        return self._text.scrub_values(self._text.end(masked)) if truncated else masked

    @_closed
    def value(self, name: str, value: object) -> object:
        """Mask a JSON-like value under a name: the whole of it, or what is inside.

        Args:
            name: of the metadata entry or label.
            value: mappings, sequences, strings, numbers, booleans, `None`; others by their text.
        """
        return self._named(name, value)

    @_closed
    def attribute(self, key: str, value: object) -> object:
        """Mask a span attribute that any instrumentation set.

        Args:
            key: the attribute's key, in the stable or the older semantic conventions.
            value: a string, number or boolean, or a sequence of them.
        """
        masked = self._attributes.one(key, value)
        if self._callback is None:
            return masked
        if isinstance(masked, tuple):
            return tuple(self._asked(key, item) for item in masked)
        return self._asked(key, masked)

    def _asked(self, key: str, value: object) -> object:
        if not isinstance(value, str):
            return value
        return self._last(value, "attribute", lambda shown: str(self._attributes.one(key, shown)))

    def is_guarded_key(self, key: str) -> bool:
        """Tell whether `attribute` may change an attribute of this key; cheap, never raises."""
        return self._attributes.is_guarded(key)

    def _named(self, name: str, value: object) -> object:
        names = self._names
        if names.is_sensitive(name) or (names[name] == SETTING and not names.spares(name, value)):
            return self._mark.value(value, f"name:{name}")
        walk = Walk(self._names, self._string, mark=self._mark, remove=self._remove)
        try:
            return walk.value(value)
        except TooLargeError:
            return FAILED

    def _string(self, string: str) -> str:
        if string.lstrip()[:1] in ("{", "["):
            masked = self._documents.scrub(string, level=1)
        else:
            masked = self._text.scrub(string)
        return self._last(masked, "text", self._text.scrub)
