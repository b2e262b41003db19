"""docs/parity/prometheus.md names all rows and the tests that prove them."""

import pytest

from tests.compat.page import PACKAGES, PAGE, page, proofs

NUMBERS = {
    "prometheus_flask_exporter": range(1, 78),
    "prometheus_fastapi_instrumentator": range(101, 130),
    "starlette_exporter": range(201, 223),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_row_has_a_test(package):
    numbers = [number for rows in PACKAGES[package].values() for number in rows]
    assert numbers == [*NUMBERS[package]]
    assert {*proofs(package)} == {*numbers}


def test_the_page_shows_the_rows_as_they_are():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.compat.page"
