"""All rows of the table, by what they are about."""

from __future__ import annotations

from typing import Literal

from tests.frameworks.cases.row import Row
from tests.frameworks.cases.rows import bodies, connections, operation, requests, responses

ROWS: tuple[Row, ...] = tuple(
    sorted(
        (*bodies.ROWS, *responses.ROWS, *requests.ROWS, *connections.ROWS, *operation.ROWS),
        key=lambda row: row.case,
    )
)


def rows_for(framework: str, *, on: Literal["server", "in-process"]) -> list[Row]:
    """Give the rows that a framework has part in, on a server or called in-process."""
    return [row for row in ROWS if framework in row.frameworks and on in row.on]
