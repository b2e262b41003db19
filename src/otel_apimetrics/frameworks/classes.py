"""Wraps of a method on the class that defines it, and their removal."""

from collections.abc import Callable
from typing import Any


class MethodWraps:
    """The methods that we replaced. Each is wrapped once, and `undo` puts the original back.

    On the class and not on `module.Class`: contrib's instrumentations swap `flask.Flask`
    for a subclass, and apps made before the wrap are instances of the old one.
    """

    def __init__(self) -> None:
        self._originals: dict[tuple[type, str], tuple[Any, Any]] = {}
        self._undoings: list[Callable[[], object]] = []

    def wrap(self, cls: type, name: str, make: Callable[[Any], Any]) -> None:
        """Replace a method, where the class defines it, by `make(original)`.

        Raises:
            AttributeError: no class of the MRO defines the method.
        """
        owner = next((base for base in cls.__mro__ if name in vars(base)), None)
        if owner is None:
            raise AttributeError(f"{cls.__qualname__} has no {name}")
        if (owner, name) in self._originals:
            return
        original = vars(owner)[name]
        replacement = make(original)
        self._originals[owner, name] = original, replacement
        setattr(owner, name, replacement)

    def on_undo(self, undoing: Callable[[], object]) -> None:
        """Have something undone with the wraps: a receiver of a signal, say."""
        self._undoings.append(undoing)

    def undo(self) -> None:
        """Put the originals back, except where somebody wrapped ours in turn."""
        while self._undoings:
            self._undoings.pop()()
        for (owner, name), (original, replacement) in self._originals.items():
            if vars(owner).get(name) is replacement:
                setattr(owner, name, original)
        self._originals.clear()
