"""Writes docs/parity/prometheus.md: what prometheus-flask-exporter does, and which test proves it.

python -m tests.compat.prometheus_flask_exporter.page
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.compat.prometheus_flask_exporter.rows import SECTIONS, Row

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "parity" / "prometheus.md"
_HEAD = """\
# prometheus-flask-exporter: row by row

<!-- Generated: python -m tests.compat.prometheus_flask_exporter.page -->

`otel_apimetrics.compat.prometheus_flask_exporter` has the public names of prometheus-flask-exporter 0.23.2,
with one changed import. Each row names the test that proves it, in
[`tests/compat/prometheus_flask_exporter`](../../tests/compat/prometheus_flask_exporter); `test_beside_upstream.py`
there sends the same requests to the same apps with either package and compares all that they show, and
`test_readme.py` runs each block of code of its description. Where nothing is said ours does the same.
"""


def proofs() -> dict[int, list[str]]:
    """Give the names of the tests by the rows that they are marked with."""
    found: dict[int, list[str]] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for number in _rows_of(node):
                    found.setdefault(number, []).append(f"{path.stem}::{node.name}")
    return found


def _rows_of(function: ast.FunctionDef) -> Iterator[int]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.row":
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def page() -> str:
    """Give the page."""
    found = proofs()
    parts = [_HEAD]
    for title, rows in SECTIONS.items():
        lines = [
            f"## {title}",
            "",
            "| # | feature | ours differs | test |",
            "| --- | --- | --- | --- |",
        ]
        lines += [_line(number, row, found.get(number, [])) for number, row in rows.items()]
        parts.append("\n".join((*lines, "")))
    return "\n".join(parts)


def _line(number: int, row: Row, tests: list[str]) -> str:
    shown = "<br>".join(f"`{test.removeprefix('test_')}`" for test in tests)
    return f"| {number} | {row.feature} | {row.differs} | {shown} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
