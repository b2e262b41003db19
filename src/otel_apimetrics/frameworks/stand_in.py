"""An object that stands where another stood, and is that other one in all else.

Attributes are read, set and deleted there, `isinstance` tells its class, and it has exactly the
special methods that the other one's class has: Python looks for those on the class, so a class
is made for each. What is left to tell is the object's identity, `type`, and code in C that wants
the type itself.
"""

from collections.abc import Callable
from typing import Any, TypeVar

_Standing = TypeVar("_Standing", bound="StandIn")

_NOT_FORWARDED = frozenset(
    f"__{name}__"
    for name in (
        "class", "new", "init", "del", "getattribute", "getattr", "setattr", "delattr", "set_name",
        "init_subclass", "subclasshook", "class_getitem", "mro_entries", "dict", "slots",
        "weakref", "doc", "module", "prepare", "instancecheck", "subclasscheck",
    )
)  # fmt: skip
_MOST_CLASSES = 256

_classes: dict[tuple[type, type], type] = {}


class StandIn:
    """Stands for an object.

    A subclass does itself what it defines; its own slots are set by `own`, and their names are
    such as no other object has.
    """

    __slots__ = ("__weakref__", "_apimetrics_for")

    _apimetrics_for: Any
    """What stood here."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # A class may have it from its own `__class__`: Django's lazy objects do.
        return self._apimetrics_for.__class__  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_apimetrics"):  # not set: only half made
            raise AttributeError(name)
        return getattr(self._apimetrics_for, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._apimetrics_for, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._apimetrics_for, name)


own = object.__setattr__
"""Sets an attribute of the stand-in itself."""


def stand_in(kind: type[_Standing], other: Any) -> _Standing:
    """Make a stand-in for an object, of the given kind.

    Raises:
        Exception: whatever an odd class makes; the caller guards.
    """
    cls = type(other)
    made = _classes.get((kind, cls))
    if made is None:
        if len(_classes) >= _MOST_CLASSES:
            _classes.clear()
        made = _classes[kind, cls] = _make_class(kind, cls)
    standing: _Standing = object.__new__(made)
    own(standing, "_apimetrics_for", other)
    return standing


def _make_class(kind: type[StandIn], cls: type) -> type:
    taken = {name for base in kind.__mro__[:-1] for name in vars(base)} | _NOT_FORWARDED
    body: dict[str, Any] = {"__slots__": (), "__doc__": cls.__doc__, "__module__": cls.__module__}
    for name in dir(cls):
        if name[:2] == name[-2:] == "__" and name not in taken:
            method = getattr(cls, name, None)
            if method is None:  # as `__hash__` of what has none
                body[name] = None
            elif callable(method):
                body[name] = _forwarding(name)
    return type(cls.__name__, (kind,), body)


def _forwarding(name: str) -> Callable[..., Any]:
    def forward(self: StandIn, *args: Any, **named: Any) -> Any:
        other = self._apimetrics_for
        result = getattr(type(other), name)(other, *args, **named)
        return self if result is other else result

    return forward
