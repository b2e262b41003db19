"""A text, explained part by part."""

from typing import NamedTuple

from otel_apimetrics.cli.har import mask_har
from otel_apimetrics.cli.header_lines import mask_headers
from otel_apimetrics.cli.kinds import Kind, is_url
from otel_apimetrics.cli.parts import Part
from otel_apimetrics.content import media_type
from otel_apimetrics.redaction import Redactor
from otel_apimetrics.redaction.explain import Explainer


class Outcome(NamedTuple):
    """What became of a text."""

    parts: tuple[Part, ...]
    result: str
    """What production writes; "" where that is nothing."""


def explain(explainer: Explainer, text: str, kind: Kind, *, truncated: bool) -> Outcome:
    """Redact a text as production does, and tell what it found.

    Args:
        explainer: of the policy.
        text: a body, header lines, a query, a URL or an archive.
        kind: how it is read.
        truncated: bodies go on where they were not captured.

    Raises:
        UsageError: an HTTP Archive that is none.
    """
    if kind.word == "har":
        result, parts = mask_har(explainer, text, truncated=truncated)
        return Outcome(parts, result)

    def ask(redactor: Redactor) -> str | None:
        return _asked(redactor, text, kind, truncated=truncated)

    explanation = explainer.explain(text, ask, truncated=truncated)
    part = Part("", explanation, is_json=kind.is_json)
    return Outcome((part,), explanation.after or "")


def _asked(redactor: Redactor, text: str, kind: Kind, *, truncated: bool) -> str | None:
    if kind.word == "headers":
        return mask_headers(redactor, text)
    if kind.word not in {"query", "form"}:
        declared = kind.content_type
        return redactor.body(text, media_type(declared), truncated=truncated, content_type=declared)
    # A file ends with a line break, which is no part of what a client sends.
    sent = text.rstrip("\r\n")
    after = text[len(sent) :]
    if kind.word == "form":
        body = redactor.body(sent, kind.content_type, truncated=truncated)
        return f"{body}{after}"
    if is_url(sent):
        return f"{redactor.url(sent)}{after}"
    query = sent.removeprefix("?")
    return f"{sent[: len(sent) - len(query)]}{redactor.query(query)}{after}"
