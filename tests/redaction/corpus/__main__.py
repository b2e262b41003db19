"""Print what the corpora say about the rules: as lines, or with --page for docs/privacy.md."""

import sys

from tests.redaction.corpus import report
from tests.redaction.corpus.page import measured

if "--page" in sys.argv:
    print(measured())
    sys.exit()
found = report()
for name, recall in sorted(found["recall"].items(), key=lambda row: row[1]):
    if recall < 1:
        print(f"{recall:7.1%}  {name}")
for title, changed in found["false_positives"]:
    print(f"changed  {title}: {changed[0]}")
print(
    f"{found['kinds']} kinds of secrets,"
    f" {sum(recall == 1 for recall in found['recall'].values())} of them masked everywhere;"
    f" {found['payloads']} ordinary payloads, {found['false_positive_rate']:.1%} changed"
)
