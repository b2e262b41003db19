"""The words of the `identify` setting."""

import inspect
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from otel_apimetrics.identity.consumer import (
    by_basic_user,
    by_bearer_claim,
    by_client_address,
    by_header,
    by_key,
    by_readme_key,
)
from otel_apimetrics.identity.errors import SpecError
from otel_apimetrics.identity.hooks import chain
from otel_apimetrics.typing import Identify

_REMEDY = (
    "write header:NAME, basic, bearer:CLAIM, key:HEADER, readme_key:HEADER,"
    " client_address, an import path such as package.module:function, or several of these with"
    " commas between"
)

_PLAIN: dict[str, Callable[[], Identify]] = {
    "basic": by_basic_user,
    "client_address": by_client_address,
}

_WITH_ARGUMENT: dict[str, Callable[[str, str], Identify]] = {
    "bearer": lambda claim, _: by_bearer_claim(claim),
    "header": lambda name, _: by_header(name),
    "key": by_key,
    "readme_key": by_readme_key,
}


def identify_by(spec: str, *, salt: str = "") -> Identify:
    """Make the hook that a setting names.

    Args:
        spec: `header:NAME`, `basic`, `bearer:CLAIM`, `key:HEADER` (hashed),
            `readme_key:HEADER` (hashed as ReadMe does), `client_address`; any other
            `package.module:attribute` is imported. Several with commas between make a `chain`.
        salt: for `key:`, as `by_key` takes it.

    Returns:
        The hook; async where an imported one is.

    Raises:
        SpecError: a word is unknown or lacks its argument, or a path cannot be imported or is
            not callable.
    """
    hooks = [_hook(word.strip(), salt) for word in spec.split(",")]
    return hooks[0] if len(hooks) == 1 else chain(*hooks)


def _hook(word: str, salt: str) -> Identify:
    name, colon, argument = (part.strip() for part in word.partition(":"))
    if name in _PLAIN and not colon:
        return _PLAIN[name]()
    if name in _WITH_ARGUMENT and argument:
        return _WITH_ARGUMENT[name](argument, salt)
    if name in _PLAIN or name in _WITH_ARGUMENT or not (name and argument):
        raise SpecError(f"identify: {word!r} is not understood; {_REMEDY}")
    return _imported(word)


def _imported(path: str) -> Identify:
    try:
        found: Any = resolve_name(path)
    except Exception as error:  # importing runs the user's module, which may raise anything
        raise SpecError(
            f"identify: {path!r} cannot be imported ({type(error).__name__}: {error}); {_REMEDY}"
        ) from error
    if not callable(found) or inspect.isclass(found):
        raise SpecError(
            f"identify: {path!r} is a {type(found).__name__}, not a function of an exchange"
            f" or an object with __call__; {_REMEDY}"
        )
    hook: Identify = found
    return hook
