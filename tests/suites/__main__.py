"""Run the suites and print what they say: `python -m tests.suites [--gate] [--markdown] [NAME...]`.

--gate runs only what the gate runs of them; --markdown prints the section of
docs/reliability.md. The status is 1 where something is not as `plan` says.
"""

import argparse
import sys

from tests.suites.page import section, table
from tests.suites.plan import SUITES
from tests.suites.running import compare

names = {suite.name.lower(): suite for suite in SUITES}
parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
parser.add_argument("--gate", action="store_true")
parser.add_argument("--markdown", action="store_true")
parser.add_argument("name", nargs="*", choices=[*names, []], help="of a suite; all if left out")
asked = parser.parse_args()
compared = [compare(names[name], whole=not asked.gate) for name in asked.name or names]
print(section(compared) if asked.markdown else "\n".join(table(compared)))
faults = [fault for one in compared for fault in one.faults()]
print("\n".join(faults), file=sys.stderr)
sys.exit(bool(faults))
