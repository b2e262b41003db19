"""What an app may say about the request it serves. Outside a request these do nothing."""

from typing import Any

from otel_apimetrics import _guard, open_requests
from otel_apimetrics.exchange import Company, Consumer
from otel_apimetrics.identity import clean_id
from otel_apimetrics.recording import Recording


def set_consumer(
    id: str,  # noqa: A002  positional only, and the word of the field
    /,
    *,
    name: str | None = None,
    email: str | None = None,
    group: str | None = None,
    company: Company | str | None = None,
    session: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Say who sent the request that is being served.

    Works from a handler, a dependency, a thread-pool endpoint or a middleware; the last
    call wins, and it wins over `identify`. Never raises, does not block.

    Args:
        id: the consumer's id, cut at 256 characters. An empty one is ignored.
        name: for people to read.
        email: for people to write to.
        group: the plan, tier or team; a metric attribute, so of low cardinality.
        company: the organisation, or its id.
        session: id of the consumer's session (`session.id`).
        metadata: further JSON-like values, on the span only.
    """
    recording = _current()
    if recording is None:
        return
    try:
        cleaned = clean_id(str(id))
        if cleaned is None:
            return
        recording.consumer = Consumer(
            id=cleaned, name=_text(name), email=_text(email), group=_text(group)
        )
        if company is not None:
            recording.company = (
                company if isinstance(company, Company) else Company(id=str(company))
            )
        if session is not None:
            recording.session = str(session)
        if metadata:
            recording.metadata = {**(recording.metadata or {}), **metadata}
    except Exception as error:
        _guard.swallow("api.set_consumer", error)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def add_label(name: str, value: str) -> None:
    """Give the request a label: `apimetrics.label.<name>` on its span.

    Those that `metric_labels` declares are metric attributes too. Never raises.

    Args:
        name: of the label.
        value: of low cardinality; other types become text.
    """
    recording = _current()
    if recording is not None:
        try:
            recording.labels = {**(recording.labels or {}), str(name): str(value)}
        except Exception as error:
            _guard.swallow("api.add_label", error)


def add_metadata(name: str, value: Any) -> None:
    """Give the request a JSON-like value, on its span only. Never raises.

    Args:
        name: of the value.
        value: what JSON can hold; other types become text.
    """
    recording = _current()
    if recording is not None:
        try:
            recording.metadata = {**(recording.metadata or {}), str(name): value}
        except Exception as error:
            _guard.swallow("api.add_metadata", error)


def skip_request() -> None:
    """Leave no metric and no export of the request that is being served."""
    recording = _current()
    if recording is not None:
        recording.skipped = True
        recording.count_out()


def _current() -> Recording | None:
    recording = open_requests.current.get()
    if isinstance(recording, Recording) and not recording.settled:
        return recording
    return None
