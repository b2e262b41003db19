"""What was said, as text: bytes kept within a bound, then decoded within a bound.

Nothing here raises on what a peer sent. What cannot be decoded cannot be redacted, so it
becomes `None` and only its size is told.
"""

from otel_apimetrics.content.buffer import BodyBuffer
from otel_apimetrics.content.media import is_textual, media_type
from otel_apimetrics.content.text import MOST_TEXT, Text, body_text

__all__ = ["MOST_TEXT", "BodyBuffer", "Text", "body_text", "is_textual", "media_type"]
