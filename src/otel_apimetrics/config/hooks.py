"""The callables that users plug in: given as they are, by import path, or by a word.

Import paths are resolved when the configuration is built. An import that fails then would
fail for each request too, and silently.
"""

import pkgutil
from collections.abc import Callable
from typing import Any, cast

from otel_apimetrics.config.given import Given
from otel_apimetrics.config.values import rate
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.identity import SpecError, chain, identify_by, is_async
from otel_apimetrics.typing import Identify, Label, Skip


def identify(given: Given) -> Identify | None:
    """Read who answers "who called": a callable, a spec string, or a list of these.

    Raises:
        ConfigError: a part is none of these, or its import path cannot be resolved.
    """
    if not isinstance(given.value, (list, tuple)):
        return _identify(given)
    members = [_identify(given.item(member)) for member in given.value]
    if len(members) == 1:
        return members[0]
    return chain(*members) if members else None


def _identify(given: Given) -> Identify:
    if not isinstance(given.value, str):
        return cast("Identify", hook(given))
    try:
        return identify_by(given.value)
    except SpecError as error:
        raise given.relay(error) from error


def label(given: Given) -> Label:
    """Read the callable that labels an exchange.

    Raises:
        ConfigError: it is neither callable nor the import path of a callable.
    """
    return cast("Label", hook(given))


def skip(given: Given) -> Skip:
    """Read the callable that says which exchanges leave no metric and no export.

    Raises:
        ConfigError: it is neither callable nor the import path of a callable.
    """
    return cast("Skip", hook(given))


def sample_rate(given: Given) -> float | Callable[[Exchange], float]:
    """Read a share from 0 to 1, or a callable of the exchange that returns one.

    Raises:
        ConfigError: it is neither, or the callable is async: the decision is needed at once.
    """
    by_path = isinstance(given.value, str) and ":" in given.value
    if not by_path and not callable(given.value):
        return rate(given)
    by_exchange = hook(given)
    if is_async(by_exchange):
        raise given.refuse("use a function that is not async")
    return cast("Callable[[Exchange], float]", by_exchange)


def hook(given: Given) -> Callable[..., Any]:
    """Read any callable: as it is, or by its import path.

    Raises:
        ConfigError: it is neither callable nor the import path of a callable.
    """
    found = _imported(given) if isinstance(given.value, str) else given.value
    if not callable(found) or isinstance(found, type):
        raise given.refuse('use a function, a callable object, or an import path "module:name"')
    return found


def _imported(given: Given) -> object:
    path = str(given.value).strip()
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise given.refuse('use an import path "module:name"')
    try:
        return cast("object", pkgutil.resolve_name(path))
    except Exception as error:
        # The app's module runs here and may raise anything; only the message of a failed
        # look-up is sure to quote nothing but names.
        known = isinstance(error, (ImportError, AttributeError))
        reason = f"{type(error).__qualname__}{f': {error}' if known else ''}"
        raise given.refuse(
            f"make it importable from the directory the app starts in ({reason})"
        ) from error
