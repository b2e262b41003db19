"""Redaction: what leaves the process has passed here, and nothing passes raw.

Names are judged by their words, values by their shape; JSON, forms, URLs, headers and free
text each have a room of their own behind `Redactor`.
"""

from otel_apimetrics.redaction.attributes import ADDRESSES, Addresses, is_guarded_key
from otel_apimetrics.redaction.clean import Remembered
from otel_apimetrics.redaction.expressions import compiled, repeats_a_repeat
from otel_apimetrics.redaction.marks import FAILED, MARK, MARKED
from otel_apimetrics.redaction.policy import PolicyError, RedactionPolicy
from otel_apimetrics.redaction.redactor import Redactor

__all__ = [
    "ADDRESSES",
    "FAILED",
    "MARK",
    "MARKED",
    "Addresses",
    "PolicyError",
    "RedactionPolicy",
    "Redactor",
    "Remembered",
    "compiled",
    "is_guarded_key",
    "repeats_a_repeat",
]
