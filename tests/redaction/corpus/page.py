"""The last section of docs/privacy.md, measured."""

from collections import Counter

from otel_apimetrics.redaction import Redactor
from tests.redaction.corpus import carried, homonyms, kinds, ordinary


def measured() -> str:
    """Give the section as Markdown, without its heading."""
    redactor = Redactor()
    recall = {
        kind.name: _recall([one.leaks for one in carried(kind, redactor)]) for kind in kinds()
    }
    groups = {
        "told by their shape": [kind.name for kind in kinds() if kind.places.by_value],
        "told by their name alone": [kind.name for kind in kinds() if not kind.places.by_value],
    }
    payloads = Counter(payload.domain for payload in ordinary())
    changed = Counter(payload.domain for payload in ordinary() if payload.changes(redactor))
    lines = [
        "| secrets | kinds | masked in every carrier |",
        "| --- | ---: | ---: |",
        *(
            f"| {group} | {len(names)} | {_share(recall[name] == 1 for name in names)} |"
            for group, names in groups.items()
        ),
        "",
        "| ordinary payloads | number | changed |",
        "| --- | ---: | ---: |",
        *(
            f"| {domain.replace('_', ' ')} | {payloads[domain]} | {changed[domain]} |"
            for domain in sorted(payloads)
        ),
        f"| all | {payloads.total()} | {changed.total() / payloads.total():.1%} |",
        "",
        f"{len(homonyms())} further payloads use a word for a secret in another sense, and nothing around it",
        "tells: they are changed, all of them. `allow` is for these:",
        "",
        *(f"- {payload.domain.replace('_', ' ')}: {payload.title}" for payload in homonyms()),
    ]
    return "\n".join(lines)


def _recall(leaks: list[bool]) -> float:
    return 1 - sum(leaks) / len(leaks)


def _share(found: object) -> str:
    answers = list(found)  # type: ignore[call-overload]
    return f"{sum(answers) / len(answers):.0%}"
