"""Writes docs/parity/VENDOR.md: how what we tell a vendor differs from what its SDK tells.

python -m tests.parity.page VENDOR
"""

import sys
from pathlib import Path

from tests.components import VENDORS
from tests.parity.comparing import Found, differences, table
from tests.parity.running import run
from tests.parity.traffic import steps
from tests.parity.vendors import FRAMEWORKS, vendor

_PAGE = """\
# {title}: beside the vendor's SDK

<!-- Generated: python -m tests.parity.page {name} -->

{steps} requests went to the same app ({frameworks}), once with {sdk}, once with
the exporter `{name}`. What the vendor was told is compared field by field; `tests/parity` does it
at each change, for both doors (`OTEL_APIMETRICS_EXPORTERS` and `OTEL_TRACES_EXPORTER`). What is not
in this table is equal; times and ids have the same form.

{table}
"""
_TITLES = {"flask": "Flask", "fastapi": "FastAPI"}


def page(name: str, found: dict[str, list[Found]]) -> str:
    """Give the page of a vendor.

    Args:
        name: of the vendor.
        found: what differs, by framework.
    """
    module = vendor(name)
    return _PAGE.format(
        title=module.TITLE,
        name=name,
        sdk=module.SDK,
        steps=sum(1 for _ in steps()),
        frameworks=" and ".join(_TITLES[one] for one in FRAMEWORKS[name]),
        table=table(found, module.DIFFERENCES),
    )


def main(name: str) -> None:
    """Run the traffic with both and write the page."""
    module, names = vendor(name), [step.name for step in steps()]
    found = {}
    for framework in FRAMEWORKS[name]:
        theirs = run(
            name, "sdk", framework, module.events, python=str(VENDORS), prepare=module.prepare
        )
        ours = run(name, "exchanges", framework, module.events, prepare=module.prepare)
        found[framework] = differences(names, theirs, ours, module.SAME_SHAPE)
    file = Path(__file__).parents[2] / "docs" / "parity" / f"{name}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(page(name, found))


if __name__ == "__main__":
    main(*sys.argv[1:])
