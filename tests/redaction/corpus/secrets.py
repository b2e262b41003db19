"""All kinds of secrets, each once."""

from typing import Final

from tests.redaction.corpus import numbers
from tests.redaction.corpus.kind import Kind
from tests.redaction.corpus.named import NAMED
from tests.redaction.corpus.prefixed import PREFIXED
from tests.redaction.corpus.structures import STRUCTURES
from tests.redaction.corpus.vendors import VENDORS

KINDS: Final[tuple[Kind, ...]] = (
    *PREFIXED,
    *STRUCTURES,
    *numbers.CARDS,
    *numbers.ACCOUNTS,
    *numbers.PEOPLE,
    *NAMED,
    *VENDORS,
)
