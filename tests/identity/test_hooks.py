import asyncio
import inspect
from functools import partial

import pytest

from otel_apimetrics import _guard
from otel_apimetrics.exchange import Consumer, Exchange, Request
from otel_apimetrics.identity import SpecError, by_client_address, by_header, chain, is_async

SENT = Exchange(id="0" * 32, request=Request(method="GET", headers=(("x-consumer", "acme"),)))


def nobody(exchange):
    return None


def somebody(exchange):
    return "somebody"


def broken(exchange):
    raise LookupError("no such consumer")


async def slowly(exchange):
    await asyncio.sleep(0)
    return " slow\n"


async def slowly_nobody(exchange):
    return None


async def slowly_broken(exchange):
    raise LookupError("no such consumer")


class Plain:
    def __call__(self, exchange):
        return "object"

    async def method(self, exchange):
        return "method"


class Async:
    async def __call__(self, exchange, *more):
        return "async object"


@pytest.mark.parametrize(
    "hook",
    [
        slowly,
        Async(),
        Plain().method,
        partial(slowly),
        partial(Async(), SENT),
        partial(partial(slowly), SENT),
        chain(nobody, slowly),
    ],
)
def test_an_async_hook_is_known(hook):
    assert is_async(hook)


@pytest.mark.parametrize(
    "hook",
    [
        nobody,
        Plain(),
        Async,
        partial(somebody),
        lambda exchange: None,
        len,
        by_header("x-a"),
        chain(nobody, somebody),
        5,
    ],
)
def test_a_plain_hook_is_known(hook):
    assert not is_async(hook)


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ([somebody], "somebody"),
        ([nobody, somebody], "somebody"),
        ([by_header("x-consumer"), somebody], "acme"),
        ([by_client_address(), by_header("x-absent"), somebody], "somebody"),
        ([lambda exchange: "", lambda exchange: " \n", somebody], "somebody"),
        ([lambda exchange: " x\r\n"], "x"),
        ([lambda exchange: Consumer(id="c", name="C"), somebody], Consumer(id="c", name="C")),
        ([nobody, nobody], None),
    ],
)
def test_the_first_that_answers_wins(hooks, expected):
    found = chain(*hooks)
    assert found(SENT) == expected
    mixed = chain(slowly_nobody, *hooks)
    assert asyncio.run(mixed(SENT)) == expected


def test_an_async_hook_is_asked_in_its_turn():
    assert asyncio.run(chain(nobody, slowly, somebody)(SENT)) == "slow"
    assert asyncio.run(chain(somebody, slowly)(SENT)) == "somebody"


def test_no_hook_is_asked_after_the_answer():
    asked = []
    chain(somebody, asked.append)(SENT)
    asyncio.run(chain(slowly, asked.append)(SENT))
    assert asked == []


def test_a_plain_function_that_gives_a_coroutine_is_awaited_in_an_async_chain():
    assert asyncio.run(chain(slowly_nobody, lambda exchange: slowly(exchange))(SENT)) == "slow"


@pytest.mark.swallows_errors
@pytest.mark.parametrize("failing", [broken, slowly_broken])
def test_a_hook_that_raises_is_counted_and_the_next_is_asked(failing):
    before = _guard.counts().get("identity.chain", 0)
    answer = chain(failing, somebody)(SENT)
    assert (asyncio.run(answer) if inspect.iscoroutine(answer) else answer) == "somebody"
    assert _guard.counts()["identity.chain"] == before + 1


@pytest.mark.swallows_errors
@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
def test_an_exit_or_a_cancellation_of_a_hooks_own_is_an_error_of_the_hook(kind):
    def ends(exchange):
        raise kind

    async def ends_slowly(exchange):
        raise kind

    assert chain(ends, somebody)(SENT) == "somebody"
    assert asyncio.run(chain(ends_slowly, somebody)(SENT)) == "somebody"
    assert _guard.counts() == {"identity.chain": 2}


def test_a_task_that_is_cancelled_asks_no_other_hook():
    asked = []

    async def waits(exchange):
        await asyncio.Event().wait()

    async def run():
        task = asyncio.create_task(chain(waits, asked.append)(SENT))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert asked == []


def test_a_hook_that_is_thrown_away_asks_no_other():
    class Waiting:
        def __await__(self):
            yield

    async def waits(exchange):
        await Waiting()

    asked = []
    asking = chain(waits, asked.append)(SENT)
    asking.send(None)
    asking.close()
    assert asked == []


def test_a_chain_of_nothing_is_refused():
    with pytest.raises(SpecError, match="at least one"):
        chain()
