"""Both orders of an extension and us."""

import pytest

from tests.extensions.beside import ORDERS, Order


@pytest.fixture(params=ORDERS)
def order(request: pytest.FixtureRequest) -> Order:
    return request.param
