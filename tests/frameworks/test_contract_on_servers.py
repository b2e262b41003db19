"""Every HTTP case on one real server a framework: the same bytes, and the records of the rows.

A server is started once with us and once without, for all rows.
"""

from functools import cache
from pathlib import Path

import pytest

from tests.frameworks.cases import FRAMEWORKS, Row, client, recorded, rows_for
from tests.frameworks.reference_servers import running, server_of

pytestmark = pytest.mark.e2e

CELLS = [
    pytest.param(framework, row, id=f"{framework}-{row.case}-{row.name}")
    for framework in FRAMEWORKS
    for row in rows_for(framework, on="server")
]
Talks = dict[str, bytes]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    """Give what went over the wire without us and with us, and the records."""

    @cache
    def run(framework: str) -> tuple[Talks, Talks, list[recorded.Recorded]]:
        folder: Path = tmp_path_factory.mktemp(framework)
        records = folder / "records.jsonl"
        with running(framework, None, folder / "without.log") as without:
            # Both start at once; what one waits for, the other needs the processor for.
            with running(framework, records, folder / "with.log") as with_us:
                rows = rows_for(framework, on="server")
                ours = {row.name: client.talk(with_us, row) for row in rows}
            bare = {row.name: client.talk(without, row) for row in rows}
        return bare, ours, recorded.read(records)

    return run


@pytest.mark.parametrize(("framework", "row"), CELLS)
def test_the_client_sees_the_same_bytes_with_us_and_one_record_is_made(
    run, framework: str, row: Row, record_property
):
    record_property("framework", framework)
    record_property("server", server_of(framework))
    record_property("case", row.case)
    bare, ours, records = run(framework)
    assert ours[row.name] == bare[row.name]
    received = client.responses(ours[row.name], row)
    recorded.check(row, framework, received, records, server_of(framework))
