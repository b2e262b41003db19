import pytest

from otel_apimetrics.cli.listing import Listing
from otel_apimetrics.cli.paint import Paint
from otel_apimetrics.cli.parts import Part
from otel_apimetrics.redaction import RedactionPolicy
from tests.cli.test_explain import Explaining
from tests.redaction.corpus import kinds
from tests.redaction.corpus.carriers import carry

KNOWN = 10
"""Characters of a secret that no other text has by chance."""


@pytest.mark.parametrize("mode", ["mask", "remove"])
def test_no_secret_is_shown_in_any_carrier(mode):
    explaining = Explaining(RedactionPolicy(mask=mode))
    for kind in kinds()[::12]:
        for _ in carry(kind, explaining, 0):
            pass
    listing = Listing(Paint(on=False), show=False, secrets=[])
    listed = 0
    for explanation, after in explaining.seen:
        for is_json in (False, True):
            lines = list(listing.lines(Part("", explanation, is_json=is_json)))
            assert bool(lines) == explanation.changed
            for finding in explanation.findings:
                if len(finding.secret) >= KNOWN and finding.secret not in (after or ""):
                    listed += 1
                    assert finding.secret not in "\n".join(lines)
    assert listed > 500
