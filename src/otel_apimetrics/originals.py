"""Functions of other packages, told from what somebody has put in their place."""

from types import FunctionType
from typing import Any


def is_original(function: Any, cls: type) -> bool:
    """Tell whether a function was written where a class was.

    A wrapper may well bear the name and the module of what it wraps; its globals are its own.

    Args:
        function: found as a method of the class.
        cls: of another package.
    """
    return type(function) is FunctionType and function.__globals__["__name__"] == cls.__module__
