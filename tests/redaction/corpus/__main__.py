"""Print what the corpora say about the rules."""

from tests.redaction.corpus import report

measured = report()
for name, recall in sorted(measured["recall"].items(), key=lambda row: row[1]):
    if recall < 1:
        print(f"{recall:7.1%}  {name}")
for title, changed in measured["false_positives"]:
    print(f"changed  {title}: {changed[0]}")
print(
    f"{measured['kinds']} kinds of secrets,"
    f" {sum(recall == 1 for recall in measured['recall'].values())} of them masked everywhere;"
    f" {measured['payloads']} ordinary payloads, {measured['false_positive_rate']:.1%} changed"
)
