"""Hooks that tell who called, plain and async, one after the other."""

import inspect
from functools import partial
from typing import Any

from otel_apimetrics import interruptions
from otel_apimetrics._guard import swallow
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.identity.clean import clean_id
from otel_apimetrics.identity.errors import SpecError
from otel_apimetrics.typing import Identify, Identity


def is_async(hook: Any) -> bool:
    """Tell whether calling a hook gives a coroutine.

    Args:
        hook: any callable.

    Returns:
        True for coroutine functions and methods, objects whose `__call__` is one, and
        `functools.partial` of these. A plain function that returns a coroutine is not seen.
    """
    while isinstance(hook, partial):
        hook = hook.func
    if inspect.iscoroutinefunction(hook):
        return True
    call = getattr(type(hook), "__call__", None)  # noqa: B004  its kind matters, not its presence
    return inspect.iscoroutinefunction(call)


def chain(*identifies: Identify) -> Identify:
    """Ask several hooks in turn; the first that answers wins.

    `None` and "" are no answer. A hook that raises is counted, and the next is asked.

    Args:
        identifies: hooks, plain or async.

    Returns:
        One hook: a coroutine function where one of the hooks is async, else a plain one.

    Raises:
        SpecError: there is no hook.
    """
    if not identifies:
        raise SpecError("identify: the chain is empty; give it at least one hook")
    if any(map(is_async, identifies)):
        return _async_chain(identifies)
    return _plain_chain(identifies)


def _plain_chain(identifies: tuple[Identify, ...]) -> Identify:
    def identify(exchange: Exchange, /) -> Any:
        for member in identifies:
            try:
                answer = _answer(member(exchange))
            except BaseException as error:
                if not interruptions.is_own(error):
                    raise
                swallow("identity.chain", error)
                continue
            if answer is not None:
                return answer
        return None

    return identify


def _async_chain(identifies: tuple[Identify, ...]) -> Identify:
    async def identify(exchange: Exchange, /) -> Identity:
        for member in identifies:
            try:
                given = member(exchange)
                answer: Identity = _answer(await given if inspect.isawaitable(given) else given)
            except GeneratorExit:
                raise  # nothing may be awaited any more
            except BaseException as error:
                if not interruptions.is_own(error):
                    raise
                swallow("identity.chain", error)
                continue
            if answer is not None:
                return answer
        return None

    return identify


def _answer(given: Any) -> Any:
    return clean_id(given) if isinstance(given, str) else given
