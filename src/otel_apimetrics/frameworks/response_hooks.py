"""The headers that exporters add to a response, where their user has asked for it."""

import re
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Headers
from otel_apimetrics.recording import Recording
from otel_apimetrics.typing import ResponseHook

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+", re.ASCII)
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def is_line(name: str, value: str) -> bool:
    """Tell a header's line (RFC 9110, section 5), its name in lower case, in printable ASCII."""
    return bool(_NAME.fullmatch(name) and _VALUE.fullmatch(value))


def added_headers(recording: Recording) -> Headers:
    """Ask the hooks of a recording's pipeline, and note what they add. Never raises.

    Args:
        recording: its status and headers are noted already.

    Returns:
        Lines to put behind those of the app.
    """
    added: Headers = ()
    for hook in recording.pipeline.response_hooks:
        added += _asked(hook, recording)
    recording.response_headers += added
    return added


def _asked(hook: ResponseHook, recording: Recording) -> Headers:
    try:
        lines = tuple(hook(recording))
        if all(is_line(name, value) for name, value in lines):
            return lines
        raise ValueError("no header")  # noqa: TRY301  guarded as what the hook raises is
    except Exception as error:
        _guard.swallow("frameworks.response_hook", error)
        return ()
