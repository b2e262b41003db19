"""The record knows no library and does not change."""

import dataclasses

import pytest

from otel_apimetrics import exchange
from otel_apimetrics.exchange import Consumer, Exchange, Request

RECORDS = [
    cls
    for cls in vars(exchange).values()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls)
]


@pytest.mark.parametrize("cls", RECORDS)
def test_every_part_of_the_record_is_frozen_slotted_and_by_keyword(cls):
    assert cls.__dataclass_params__.frozen
    assert "__slots__" in vars(cls)
    assert all(field.kw_only for field in dataclasses.fields(cls))


def test_an_exchange_does_not_change():
    one = Exchange(id="1", request=Request(method="GET"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.id = "2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        one.labels["a"] = "b"  # type: ignore[index]


def test_equal_exchanges_are_equal():
    make = lambda: Exchange(id="1", request=Request(method="GET"), consumer=Consumer(id="a"))  # noqa: E731
    assert make() == make()
    assert dataclasses.replace(make(), id="2") != make()
