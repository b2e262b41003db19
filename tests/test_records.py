"""Records are frozen dataclasses in all but what they cost."""

import copy
import dataclasses
import inspect
import pickle

import pytest

from otel_apimetrics.records import copier, evolve, maker, record


@record
class Point:
    x: int
    y: int = 2
    tags: list[str] = dataclasses.field(default_factory=list)


def test_a_record_has_its_defaults_and_each_its_own_made_ones():
    one, other = Point(x=1), Point(x=1)
    assert (one.x, one.y, one.tags) == (1, 2, [])
    assert one.tags is not other.tags
    assert type(one) is Point


def test_a_record_takes_its_fields_by_keyword_and_misses_none():
    with pytest.raises(TypeError, match="positional"):
        Point(1)
    with pytest.raises(TypeError, match="'x'"):
        Point()
    with pytest.raises(TypeError, match="z"):
        Point(x=1, z=2)
    assert list(inspect.signature(Point).parameters) == ["x", "y", "tags"]


def test_a_record_does_not_change():
    point = Point(x=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises(dataclasses.FrozenInstanceError):
        evolve(point, x=2).x = 3


def test_an_evolved_record_is_a_copy_with_the_changes():
    point = Point(x=1, tags=["a"])
    moved = evolve(point, x=5)
    assert moved == Point(x=5, tags=["a"])
    assert moved.tags is point.tags
    assert point.x == 1
    with pytest.raises(AttributeError):
        evolve(point, z=1)


def test_a_copier_takes_the_values_by_position():
    point = Point(x=1, tags=["a"])
    copied = copier(Point, "tags", "x")(point, ["b"], 5)
    assert copied == Point(x=5, tags=["b"])
    assert type(copied) is Point
    assert point == Point(x=1, tags=["a"])
    with pytest.raises(AttributeError, match="z"):
        copier(Point, "z")


def test_a_record_is_compared_copied_pickled_and_shown_as_a_dataclass():
    point = Point(x=1)
    assert point == Point(x=1) != Point(x=2)
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    assert dataclasses.replace(point, y=3) == Point(x=1, y=3)
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "tags": []}
    assert repr(point) == "Point(x=1, y=2, tags=[])"


def test_a_maker_makes_what_the_class_makes():
    make = maker(Point)
    assert make(x=1) == Point(x=1)
    assert make(x=1, y=3, tags=["a"]) == Point(x=1, y=3, tags=["a"])
    assert type(make(x=1)) is Point
    assert make(x=1).tags is not make(x=1).tags
    with pytest.raises(TypeError, match="'x'"):
        make()
    with pytest.raises(TypeError, match="z"):
        make(x=1, z=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        make(x=1).x = 2
