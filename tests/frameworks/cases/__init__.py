"""The HTTP cases that a capture tool must survive, as data that any server can be given.

A `Row` says what a client sends, what the app does (a path of `apps`, the same in every
framework) and what the record must be. To run all rows on a server:

    app          `served:app`, told by its environment which framework, and whether with us
    rows         `rows_for(framework, on="server")`
    client       `client.talk(address, row)` gives the raw bytes of the connection, `Date` left out
    comparison   those bytes, with us and without, are equal
    records      `recorded.read(path)`, then `recorded.check(row, framework, received, records)`
"""

from tests.frameworks.cases.row import ABSENT, ANY, FRAMEWORKS, SEEN, Leaves, Record, Request, Row
from tests.frameworks.cases.rows import ROWS, rows_for

__all__ = [
    "ABSENT",
    "ANY",
    "FRAMEWORKS",
    "ROWS",
    "SEEN",
    "Leaves",
    "Record",
    "Request",
    "Row",
    "rows_for",
]
