"""Bodies: which room reads which media type."""

from typing import Final

from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.graphql import GraphQL
from otel_apimetrics.redaction.markup.xml import Xml
from otel_apimetrics.redaction.multipart import Multipart
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.stream import scrub_events, scrub_lines
from otel_apimetrics.redaction.text import FreeText

_FORM: Final = "application/x-www-form-urlencoded"
_GRAPHQL: Final = "application/graphql"
_JSON: Final = frozenset({"application/json", "text/json"})
_LINES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq"}
)
_XML: Final = frozenset({"application/xml", "text/xml"})
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_NOT_AS_TEXT: Final = frozenset(
    {
        *("text/csv", "text/x-csv", "text/comma-separated-values", "text/x-comma-separated-values"),
        *("text/tab-separated-values", "text/tsv"),
    }
)
"""The names of their columns are far from the values."""


def is_json(media_type: str) -> bool:
    """Tell JSON by its media type (RFC 8259; RFC 6839, section 3.1)."""
    return media_type in _JSON or media_type.endswith("+json")


def _has_query(text: str) -> bool:
    # From the end: CPython's search for a word is about twice as fast backwards.
    return text.rfind('"query"') >= 0


class Bodies:
    """Bodies of all media types that may be captured.

    Args:
        names: the verdicts on names.
        text: the rules for strings.
        documents: the rules for JSON.
        form: the rules for forms.
        markup: the rules for XML and HTML.
        remove: take out what a name tells instead of masking it.
    """

    def __init__(
        self,
        names: Names,
        text: FreeText,
        documents: Documents,
        form: Form,
        markup: Xml,
        *,
        remove: bool,
    ) -> None:
        self._text: Final = text
        self._documents: Final = documents
        self._form: Final = form
        self._graphql: Final = GraphQL(documents, text)
        self._multipart: Final = Multipart(names, text, documents, form, remove=remove)
        self._xml: Final = markup

    def scrub(
        self, text: str, media_type: str, *, cut: bool = False, content_type: str = ""
    ) -> str | None:
        """Mask a body.

        Args:
            text: content-coding removed and decoded; of multipart bytes that are no UTF-8 are
                lone surrogates (PEP 383).
            media_type: type and subtype in lower case, without parameters.
            cut: the body goes on where it was not captured, so it may not parse, and a secret
                at its end may be incomplete.
            content_type: the whole Content-Type, where multipart has its boundary.

        Returns:
            The masked text, or `None`: this media type must not be captured.
        """
        if is_json(media_type):
            return self._json_body(text, cut=cut)
        if media_type == _FORM:
            return self._form.scrub(text, cut=cut)
        if media_type.startswith("multipart/"):
            data = text.encode("utf-8", "surrogateescape")
            return self._multipart.scrub(data, content_type, cut=cut)
        if media_type in _HTML or media_type in _XML or media_type.endswith("+xml"):
            return self._xml.scrub(text, cut=cut, html=media_type in _HTML)
        return self._lines_or_text(text, media_type, cut=cut)

    def _json_body(self, text: str, *, cut: bool) -> str:
        def again(shown: str) -> str:
            return self._json(shown, cut=cut)

        if _has_query(text):
            return self._documents.bounded(again(text), again)
        return self._documents.body(text, cut=cut, again=again)

    def _json(self, text: str, *, cut: bool) -> str:
        masked = self._graphql.scrub(text, cut=cut) if _has_query(text) else None
        return self._documents.scrub(text, cut=cut) if masked is None else masked

    def _lines_or_text(self, text: str, media_type: str, *, cut: bool) -> str | None:
        if media_type in _LINES:
            return scrub_lines(text, self._documents, cut=cut)
        if media_type == "text/event-stream":
            return scrub_events(text, self._documents, self._text, cut=cut)
        if media_type == _GRAPHQL:
            return self._graphql.query(text, cut=cut)
        if not media_type.startswith("text/") or media_type in _NOT_AS_TEXT:
            return None
        masked = self._text.scrub(text)
        return self._text.scrub_values(self._text.end(masked)) if cut else masked
