"""Fixtures of the tests by framework."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def django_of_the_cases() -> Iterator[None]:
    """Django's settings are the process's: here those of the HTTP cases, whoever configured them."""
    from django.test.utils import override_settings

    from tests.frameworks.cases.apps.django_app import SETTINGS, configure

    configure()
    with override_settings(**SETTINGS):
        yield
