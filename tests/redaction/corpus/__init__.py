"""What redaction is measured with: kinds of secrets, and ordinary payloads without one.

    .venv/bin/python -m tests.redaction.corpus

prints the recall by kind and the false positives.
"""

from collections.abc import Iterable
from typing import Any

from otel_apimetrics.redaction import Redactor
from tests.redaction.corpus.carriers import Carried, carry
from tests.redaction.corpus.kind import Kind
from tests.redaction.corpus.payloads import Payload, load
from tests.redaction.corpus.secrets import KINDS

__all__ = ["Carried", "Kind", "Payload", "carried", "homonyms", "kinds", "ordinary", "report"]


def kinds() -> tuple[Kind, ...]:
    """Give all kinds of secrets."""
    return KINDS


def ordinary() -> tuple[Payload, ...]:
    """Give all ordinary payloads, in the order of their files."""
    return load("ordinary")


def homonyms() -> tuple[Payload, ...]:
    """Give payloads without a secret that use a word for secrets in another sense."""
    return load("homonyms")


def carried(
    kind: Kind, redactor: Redactor | None = None, seeds: Iterable[int] = range(3)
) -> tuple[Carried, ...]:
    """Send secrets of a kind through all of their carriers, one secret a seed."""
    redactor = redactor or Redactor()
    return tuple(one for seed in seeds for one in carry(kind, redactor, seed))


def report(redactor: Redactor | None = None, seeds: Iterable[int] = range(3)) -> dict[str, Any]:
    """Measure recall by kind, and the share of ordinary payloads that redaction changes.

    Returns:
        `recall` by kind (1.0 is all carriers), `misses` as (kind, carrier, name), `payloads`,
        `false_positives` as (title, what changed), `false_positive_rate`; `homonyms` and
        `homonyms_changed`, which are not part of the rate.
    """
    redactor, seeds = redactor or Redactor(), tuple(seeds)
    by_kind = {kind.name: carried(kind, redactor, seeds) for kind in kinds()}
    payloads = ordinary()
    changed = [(payload, after) for payload in payloads if (after := payload.changes(redactor))]
    return {
        "kinds": len(by_kind),
        "recall": {
            name: sum(not one.leaks for one in ones) / len(ones) for name, ones in by_kind.items()
        },
        "misses": sorted(
            {
                (name, one.carrier, one.name)
                for name, ones in by_kind.items()
                for one in ones
                if one.leaks
            }
        ),
        "payloads": len(payloads),
        "false_positives": [(payload.title, after) for payload, after in changed],
        "false_positive_rate": len(changed) / len(payloads),
        "homonyms": len(homonyms()),
        "homonyms_changed": sum(bool(payload.changes(redactor)) for payload in homonyms()),
    }
