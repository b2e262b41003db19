"""What the user's hooks say of an exchange: skip it, who called, its labels.

Each hook is one question. What it raises is counted, and the exchange goes on without its answer.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from otel_apimetrics import _guard, interruptions
from otel_apimetrics.config import Config
from otel_apimetrics.exchange import Consumer, Exchange, copier, evolve, maker
from otel_apimetrics.identity import clean_id, is_async

_new_consumer = maker(Consumer)
_with_consumer = copier(Exchange, "consumer")
_SETTLED = (str, Consumer, dict, bool, type(None))
"""What hooks answer: telling an awaitable takes longer than telling these."""

Apply: TypeAlias = Callable[[Exchange, Any], Exchange | None]
"""Makes of an exchange and an answer the exchange that goes on, `None` for none. May raise."""


class Question:
    """One hook, and what its answer does.

    Args:
        place: of the hook in `apimetrics.internal.errors`.
        hook: of the user, plain or async.
        apply: its errors are the hook's, whose answer was of no use.
        is_due: tells whether an exchange needs the answer.
    """

    __slots__ = ("_apply", "_hook", "_is_due", "_place")

    def __init__(
        self,
        place: str,
        hook: Callable[[Exchange], Any],
        apply: Apply,
        is_due: Callable[[Exchange], bool] = lambda _exchange: True,
    ) -> None:
        self._place = place
        self._hook = hook
        self._apply = apply
        self._is_due = is_due

    def ask(self, exchange: Exchange) -> Exchange | None:
        """Ask, and apply the answer. `None`: the exchange leaves no trace."""
        if not self._is_due(exchange):
            return exchange
        try:
            answer = self._hook(exchange)
            if not isinstance(answer, _SETTLED) and inspect.isawaitable(answer):
                if inspect.iscoroutine(answer):
                    answer.close()
                raise TypeError("an async hook was called where nothing awaits it")  # noqa: TRY301
            return self._apply(exchange, answer)
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow(self._place, error)
            return exchange

    async def ask_async(self, exchange: Exchange) -> Exchange | None:
        """Do what `ask` does, with a hook that may be `async`."""
        if not self._is_due(exchange):
            return exchange
        try:
            answer = self._hook(exchange)
            if not isinstance(answer, _SETTLED) and inspect.isawaitable(answer):
                answer = await answer
            return self._apply(exchange, answer)
        except GeneratorExit:
            raise  # nothing may be awaited any more, whoever has raised it
        except BaseException as error:
            if not interruptions.is_own(error):
                raise
            _guard.swallow(self._place, error)
            return exchange


def questions(config: Config) -> tuple[Question, ...]:
    """Give the questions of a configuration, in their order."""
    asked: list[Question] = []
    if config.skip is not None:
        asked.append(Question("hooks.skip", config.skip, _skipped))
    if config.identify is not None:
        asked.append(_identity(config.identify))
    if config.label is not None:
        asked.append(Question("hooks.label", config.label, _labelled))
    return tuple(asked)


def early_identity(config: Config) -> Question | None:
    """Give the question who called, where it can be asked before the app is called.

    An `async` hook cannot: nobody knows how long it takes.
    """
    hook = config.identify
    return None if hook is None or is_async(hook) else _identity(hook)


def _identity(hook: Callable[[Exchange], Any]) -> Question:
    return Question("hooks.identify", hook, _identified, _is_unknown)


def _skipped(exchange: Exchange, answer: Any) -> Exchange | None:
    return None if answer else exchange


def _is_unknown(exchange: Exchange) -> bool:
    return exchange.consumer is None


def _identified(exchange: Exchange, answer: Any) -> Exchange:
    if answer is None:
        return exchange
    if isinstance(answer, Consumer):
        cleaned = clean_id(answer.id)
        found = None if cleaned is None else evolve(answer, id=cleaned)
    elif isinstance(answer, str):
        cleaned = clean_id(answer)
        found = None if cleaned is None else _new_consumer(id=cleaned)
    else:
        raise TypeError(f"identify returned {type(answer).__name__}, not a Consumer, str or None")
    return _with_consumer(exchange, found)


def _labelled(exchange: Exchange, answer: Any) -> Exchange:
    if answer is None:
        return exchange
    labels = {**exchange.labels, **{str(k): str(v) for k, v in answer.items()}}
    return evolve(exchange, labels=labels)
