"""docs/parity/prometheus.md names all rows and the tests that prove them."""

from tests.compat.prometheus_flask_exporter.page import PAGE, page, proofs
from tests.compat.prometheus_flask_exporter.rows import SECTIONS


def test_each_row_has_a_test_but_for_those_to_come():
    numbers = [number for rows in SECTIONS.values() for number in rows]
    assert numbers == [*range(1, 78)]
    assert {*proofs()} == {*numbers}


def test_the_page_shows_the_rows_as_they_are():
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "run: python -m tests.compat.prometheus_flask_exporter.page"
