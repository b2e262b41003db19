"""Frozen dataclasses that are cheap to make and to copy.

A frozen dataclass writes each field through `object.__setattr__`, which triples the cost of
making one, and a request makes several. Here an object is made in a twin class of the same
slots that is not frozen, and becomes its own class when it is whole.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_said: Any) -> Any:
        """Do nothing: it speaks to type checkers alone."""
        return lambda function: function


_Record = TypeVar("_Record")

_TWIN = "__open_twin__"

_copiers: dict[tuple[Any, ...], Callable[..., Any]] = {}
"""By the class and the names of the fields that change: few, for those who write them do."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[_Record]) -> type[_Record]:
    """Make a frozen, slotted dataclass whose fields are given by keyword.

    Args:
        cls: a class of annotated fields, as for `dataclasses.dataclass`.
    """
    frozen: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    twin: Any = type(cls.__name__, (), {"__slots__": frozen.__slots__})
    setattr(frozen, _TWIN, twin)
    frozen.__init__ = _initialiser(frozen, twin)
    made: type[_Record] = frozen
    return made


def evolve(record: _Record, **changes: Any) -> _Record:
    """Copy a record with some fields changed, as `dataclasses.replace` does, but fast.

    Raises:
        AttributeError: a change names no field.
    """
    return copier(type(record), *changes)(record, *changes.values())


def copier(cls: type[_Record], *changed: str) -> Callable[..., _Record]:
    """Give what `evolve` calls, for those who copy at each request: some fields, by position.

    Args:
        cls: of the records.
        changed: the names of the fields.

    Raises:
        AttributeError: a name is that of no field.
    """
    key = (cls, *changed)
    copy = _copiers.get(key)
    if copy is None:
        copy = _copiers[key] = _made_copier(cls, *changed)
    return copy


def maker(cls: type[_Record]) -> type[_Record]:
    """Give a function that makes records as a call of their class does, for a third of the cost.

    A call of a class with keywords goes through a tuple and a dict. To type checkers it is the
    class, so that they check what it is called with.

    Args:
        cls: of the records.
    """
    names: dict[str, Any] = {
        "_frozen": cls,
        "_twin": getattr(cls, _TWIN),
        "_new": object.__new__,
    }
    held: Any = cls
    parameters = [_parameter(field, names) for field in fields(held)]
    lines = [
        f"def make(*, {', '.join(parameters)}):",
        " _made = _new(_twin)",
        *(f" _made.{field.name} = {_value(field)}" for field in fields(held)),
        " _made.__class__ = _frozen",
        " return _made",
    ]
    made: type[_Record] = _function("make", lines, names)
    return made


def _initialiser(frozen: Any, twin: Any) -> Any:
    names: dict[str, Any] = {"_frozen": frozen, "_twin": twin, "_open": object.__setattr__}
    parameters = [_parameter(field, names) for field in fields(frozen)]
    lines = [
        f"def __init__(self, *, {', '.join(parameters)}):",
        " _open(self, '__class__', _twin)",
        *(f" self.{field.name} = {_value(field)}" for field in fields(frozen)),
        " self.__class__ = _frozen",
    ]
    made = _function("__init__", lines, names)
    made.__annotations__ = dict(frozen.__init__.__annotations__)
    made.__qualname__ = f"{frozen.__qualname__}.__init__"
    return made


def _parameter(field: "Field[Any]", names: dict[str, Any]) -> str:
    if field.default is not MISSING:
        names[f"_default_{field.name}"] = field.default
    elif field.default_factory is not MISSING:
        names[f"_make_{field.name}"] = field.default_factory
        names[f"_default_{field.name}"] = MISSING
        names["_missing"] = MISSING
    else:
        return field.name
    return f"{field.name}=_default_{field.name}"


def _value(field: "Field[Any]") -> str:
    if field.default_factory is MISSING:
        return field.name
    return f"_make_{field.name}() if {field.name} is _missing else {field.name}"


def _made_copier(frozen: Any, *changed: str) -> Any:
    names = [field.name for field in fields(frozen)]
    if unknown := set(changed).difference(names):
        raise AttributeError(f"{frozen.__qualname__} has no field {min(unknown)!r}")
    lines = [
        f"def copy(_record, {', '.join(changed)}):",
        " _copied = _new(_twin)",
        *(f" _copied.{n} = {n if n in changed else f'_record.{n}'}" for n in names),
        " _copied.__class__ = _frozen",
        " return _copied",
    ]
    twin = getattr(frozen, _TWIN)
    return _function("copy", lines, {"_frozen": frozen, "_twin": twin, "_new": object.__new__})


def _function(name: str, lines: list[str], names: dict[str, Any]) -> Any:
    # What `dataclasses` does: only names of fields, which are identifiers, become code.
    made: dict[str, Any] = {}
    exec("\n".join(lines), names, made)  # noqa: S102
    return made[name]
