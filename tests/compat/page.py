"""Writes docs/parity/prometheus.md: what three packages do, and which test proves it of ours.

python -m tests.compat.page
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.compat.prometheus_fastapi_instrumentator import rows as instrumentator
from tests.compat.prometheus_flask_exporter import rows as flask
from tests.compat.row import Row
from tests.compat.starlette_exporter import rows as starlette

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "parity" / "prometheus.md"
PACKAGES = {
    "prometheus_flask_exporter": flask.SECTIONS,
    "prometheus_fastapi_instrumentator": instrumentator.SECTIONS,
    "starlette_exporter": starlette.SECTIONS,
}
_HEADS = {
    "prometheus_flask_exporter": """\
# prometheus-flask-exporter: row by row

<!-- Generated: python -m tests.compat.page -->

`otel_apimetrics.compat.prometheus_flask_exporter` has the public names of prometheus-flask-exporter 0.23.2,
with one changed import. Each row names the test that proves it, in
[`tests/compat/prometheus_flask_exporter`](../../tests/compat/prometheus_flask_exporter); `test_beside_upstream.py`
there sends the same requests to the same apps with either package and compares all that they show, and
`test_readme.py` runs each block of code of its description. Where nothing is said ours does the same.
""",
    "prometheus_fastapi_instrumentator": """\
# prometheus-fastapi-instrumentator: row by row

`otel_apimetrics.compat.prometheus_fastapi_instrumentator` has the public names of
prometheus-fastapi-instrumentator 8.1.0. The tests are in
[`tests/compat/prometheus_fastapi_instrumentator`](../../tests/compat/prometheus_fastapi_instrumentator), but for those
that are for this package and the next, in [`tests/compat`](../../tests/compat): `test_asgi_beside_upstream.py` compares
them as above, `test_sequences.py` by sequences of requests that hypothesis makes up, `test_asgi_workers.py` has sums over
several workers, and `test_asgi_apps_unchanged.py` answers byte for byte as without us.
""",
    "starlette_exporter": """\
# starlette_exporter: row by row

`otel_apimetrics.compat.starlette_exporter` has the public names of starlette_exporter 0.24.0. The tests are in
[`tests/compat/starlette_exporter`](../../tests/compat/starlette_exporter), and where those of the package above are.
""",
}


def proofs(package: str) -> dict[int, list[str]]:
    """Give the names of a package's tests by the rows that they are marked with."""
    found: dict[int, list[str]] = {}
    for path in sorted((HERE / package).glob("test_*.py")):
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
    return "\n".join(_part(package, sections) for package, sections in PACKAGES.items())


def _part(package: str, sections: Mapping[str, Mapping[int, Row]]) -> str:
    found = proofs(package)
    parts = [_HEADS[package]]
    for title, rows in sections.items():
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
