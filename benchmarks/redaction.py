"""What redacting 16 KiB of JSON costs, beside reading and writing it.

Run it as `python -m benchmarks.redaction`.
"""

import json
import sys
from collections.abc import Callable
from statistics import median
from time import process_time

from benchmarks.payloads import PAYLOADS, answer
from otel_apimetrics.redaction import RedactionPolicy, Redactor

SIZE = 16 * 1024
LIMIT = 0.7
"""Most that redaction may cost, in `json.loads` and `json.dumps` of the same text."""

_DOCUMENTS = 40
"""Texts a round, none like the other, so that nothing is remembered."""
_ROUNDS = 15


def documents(secrets: int) -> list[str]:
    """Make texts of 16 KiB with a number of passwords in each."""
    order = json.loads(PAYLOADS["clean"])
    made = []
    for number in range(_DOCUMENTS):
        rows: list[dict[str, object]] = []
        while len(json.dumps(rows)) < SIZE - 2_048:
            shop = number * 1_000 + len(rows)
            rows.append({**answer(shop, order), "comment": f"order {shop * 7919:x} of a customer"})
        for index in range(secrets):
            rows[index % len(rows)][f"password{index or ''}"] = f"correct horse {number}"
        made.append(json.dumps(rows))
    return made


def ratio(work: Callable[[str], object], texts: list[str]) -> tuple[float, float]:
    """Give microseconds a text, and their ratio to reading and writing it, in turns."""
    costs, ratios = [], []
    for _ in range(_ROUNDS):
        base = _seconds(lambda text: json.dumps(json.loads(text)), texts)
        cost = _seconds(work, texts)
        costs.append(cost / len(texts) * 1e6)
        ratios.append(cost / base)
    return median(costs), median(ratios)


def _seconds(work: Callable[[str], object], texts: list[str]) -> float:
    start = process_time()
    for text in texts:
        work(text)
    return process_time() - start


def main() -> None:
    """Measure with google-re2, where it is installed, and without."""
    with_re2 = Redactor()
    sys.modules["re2"] = None  # type: ignore[assignment]  # as where it is not installed
    # Another policy, because what was made for the first one is remembered.
    without = Redactor(RedactionPolicy(deny=["not there"]))
    for engine, redactor in (("google-re2", with_re2), ("Python's re", without)):
        for what, secrets in (("nothing to mask", 0), ("one password", 1), ("ten", 10)):
            texts = documents(secrets)
            cost, share = ratio(lambda text: redactor.body(text, "application/json"), texts)  # noqa: B023
            verdict = "PASS" if share <= LIMIT else "FAIL"
            print(f"{verdict}  {engine}, {what}: {cost:.0f} us, {share:.2f} of loads + dumps")


if __name__ == "__main__":
    main()
