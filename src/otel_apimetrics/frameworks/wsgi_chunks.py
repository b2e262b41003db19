"""What becomes of the response of a WSGI app, noted on its recording."""

from typing import Any

from otel_apimetrics import _guard
from otel_apimetrics.frameworks.headers import declared_length
from otel_apimetrics.open_requests import outside
from otel_apimetrics.recording import Recording
from otel_apimetrics.snapshot import CLIENT_DISCONNECT, is_bodiless


def note_chunk(recording: Recording, chunk: Any) -> None:
    """Copy a chunk that goes out."""
    try:
        recording.response_body.write(chunk)
        recording.touch()
    except Exception as error:
        _guard.swallow("wsgi.chunk", error)


def note_early_end(recording: Recording) -> None:
    """Note that the server stopped before the app had said everything."""
    if recording.settled or recording.response_ended or recording.error is not None:
        return
    told = 0 if is_bodiless(recording) else declared_length(recording.response_headers)
    if told is None or recording.response_body.size < told:
        recording.error = CLIENT_DISCONNECT
    else:
        recording.response_ended = True


def note_failure(recording: Recording, error: BaseException) -> None:
    """Note what the app raised."""
    try:
        if isinstance(error, GeneratorExit):
            note_early_end(recording)
        else:
            recording.note_failure(error)
    except Exception as ours:
        _guard.swallow("wsgi.failure", ours)


def close_response(recording: Recording, iterable: Any) -> None:
    """Close the app's iterable where it can be closed, and make the record."""
    before = outside()
    try:
        try:
            recording.enter()
            close = getattr(iterable, "close", None)
            if close is not None:
                close()
        finally:
            recording.leave(before)
        note_early_end(recording)
    except BaseException as error:
        recording.leave(before)  # again: a signal handler may have raised in it
        try:
            note_failure(recording, error)
        finally:
            recording.end()
        raise
    recording.end()


def throw_away(recording: Recording) -> None:
    """Make the record of a response that is thrown away, where nobody has."""
    note_early_end(recording)
    # Before its end: whoever is outside may have been so too.
    recording.end(outside=not recording.response_ended)
