"""Async hooks: the record waits for them, the app does not."""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable

import pytest
from opentelemetry import trace

from otel_apimetrics import ApiMetricsASGIMiddleware, _guard, asking, open_requests
from tests.in_process import converse, make_scope
from tests.one_span.processes import run_python
from tests.telemetry import Telemetry

START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"body"}


def served(app: Callable, telemetry: Telemetry, **options):
    return ApiMetricsASGIMiddleware(app, **options, **telemetry.providers)


async def answers(scope, receive, send):
    await send(START)
    await send(END)


@contextlib.asynccontextmanager
async def lifespan(app):
    """Serve the app's lifespan, as a server does, around what is inside."""
    begun, over = asyncio.Event(), asyncio.Event()
    messages = asyncio.Queue()
    messages.put_nowait({"type": "lifespan.startup"})

    async def send(message):
        (begun if message["type"] == "lifespan.startup.complete" else over).set()

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
    task = asyncio.create_task(app(scope, messages.get, send))
    await begun.wait()
    yield
    messages.put_nowait({"type": "lifespan.shutdown"})
    await over.wait()
    await task


def with_lifespan(app):
    async def both(scope, receive, send):
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return both


def hook_tasks():
    return [task for task in asyncio.all_tasks() if task.get_name() == "otel_apimetrics.hooks"]


def test_what_the_app_does_behind_its_last_byte_waits_for_no_hook(telemetry: Telemetry):
    told = []

    async def main():
        background = asyncio.Event()

        async def app(scope, receive, send):
            await answers(scope, receive, send)
            background.set()

        async def identify(exchange):
            await background.wait()  # for ever, where the app waits for this
            told.append("identify")
            return "acme"

        await converse(served(app, telemetry, identify=identify), make_scope())

    asyncio.run(main())
    assert told == ["identify"]
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


def test_beside_a_lifespan_nothing_outside_waits_and_the_shutdown_does(telemetry: Telemetry):
    async def main():
        release = asyncio.Event()

        async def identify(exchange):
            await release.wait()
            return "acme"

        app = served(with_lifespan(answers), telemetry, identify=identify)
        async with lifespan(app):
            await converse(app, make_scope())
            assert telemetry.server_spans == []
            assert open_requests.count() == 1
            asyncio.get_running_loop().call_soon(release.set)
        assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"
        assert asking.attended == []

    asyncio.run(main())


def test_hooks_run_in_the_context_of_the_request(telemetry: Telemetry):
    tenant = contextvars.ContextVar("tenant", default="")
    seen = []

    async def app(scope, receive, send):
        tenant.set("t1")
        await answers(scope, receive, send)

    async def identify(exchange):
        await asyncio.sleep(0)
        seen.append((tenant.get(), trace.get_current_span().get_span_context().span_id))

    asyncio.run(converse(served(app, telemetry, identify=identify), make_scope()))
    assert seen == [("t1", telemetry.server_span.context.span_id)]


@pytest.mark.swallows_errors
def test_a_hook_that_never_answers_is_given_up_with_what_others_said(
    telemetry: Telemetry, monkeypatch
):
    monkeypatch.setattr(asking, "PATIENCE", 0.01)
    cancelled = []

    async def label(exchange):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    app = served(answers, telemetry, identify=lambda exchange: "acme", label=label)

    async def main():
        await converse(app, make_scope())
        if hooks := hook_tasks():
            await asyncio.wait(hooks)

    asyncio.run(main())
    assert cancelled == [True]
    assert _guard.counts() == {"hooks.timeout": 1}
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


@pytest.mark.swallows_errors
def test_a_hook_that_refuses_to_be_given_up_holds_up_nothing(telemetry: Telemetry, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", 0.01)

    async def main():
        release = asyncio.Event()

        async def identify(exchange):
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
            await release.wait()

        await converse(served(answers, telemetry, identify=identify), make_scope())
        assert telemetry.total() == 1
        release.set()

    asyncio.run(main())


def test_a_cancelled_app_waits_for_no_hook_and_stays_cancelled(telemetry: Telemetry):
    async def main():
        asked, release = asyncio.Event(), asyncio.Event()

        async def app(scope, receive, send):
            await answers(scope, receive, send)
            await asyncio.Event().wait()

        async def identify(exchange):
            asked.set()
            await release.wait()
            return "acme"

        task = asyncio.create_task(
            converse(served(app, telemetry, identify=identify), make_scope())
        )
        await asked.wait()
        task.cancel()
        seen = await task
        assert isinstance(seen.error, asyncio.CancelledError)
        assert telemetry.server_spans == []
        release.set()
        await asyncio.wait(hook_tasks())

    asyncio.run(main())
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"
    assert telemetry.total() == 1


def test_a_loop_that_ends_first_makes_the_record_without_the_answer(telemetry: Telemetry):
    async def identify(exchange):
        await asyncio.Event().wait()

    async def main():
        app = served(with_lifespan(answers), telemetry, identify=identify)
        task = asyncio.create_task(lifespan(app).__aenter__())
        await task
        await converse(app, make_scope())

    asyncio.run(main())
    assert telemetry.total() == 1
    assert telemetry.server_span.attributes["http.response.status_code"] == 200


def test_the_end_of_the_process_makes_the_record_without_the_answer(telemetry: Telemetry):
    async def main():
        async def identify(exchange):
            await asyncio.Event().wait()

        app = served(with_lifespan(answers), telemetry, identify=identify)
        async with lifespan(app):
            await converse(app, make_scope())
            await asyncio.to_thread(open_requests.abandon_all)
            assert telemetry.total() == 1
            assert telemetry.server_span.attributes["http.response.status_code"] == 200
            for task in hook_tasks():
                task.cancel()
        assert telemetry.total() == 1

    asyncio.run(main())


def test_the_apps_own_tasks_are_made_as_without_us(telemetry: Telemetry):
    made = []

    async def main():
        def factory(loop, coroutine, **named):
            made.append(coroutine)
            return asyncio.Task(coroutine, loop=loop, **named)

        async def identify(exchange):
            await asyncio.sleep(0)
            return "acme"

        asyncio.get_running_loop().set_task_factory(factory)
        await converse(served(answers, telemetry, identify=identify), make_scope())
        assert made == []

    asyncio.run(main())
    assert telemetry.server_span.attributes["apimetrics.consumer.id"] == "acme"


@pytest.mark.swallows_errors
def test_where_no_task_can_be_made_the_record_is(telemetry: Telemetry, monkeypatch):
    class NoTask(asyncio.Task):
        def __init__(self, coroutine, **_):
            coroutine.close()
            raise RuntimeError("no more tasks")

    async def identify(exchange):
        return "acme"

    async def main():
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "Task", NoTask)
            await converse(served(answers, telemetry, identify=identify), make_scope())

    asyncio.run(main())
    assert _guard.counts() == {"recording.ask": 1}
    assert telemetry.total() == 1
    assert open_requests.count() == 0


@pytest.mark.e2e
def test_under_trio_hooks_are_asked_once_the_app_is_left_and_given_up_in_time():
    said = run_python(
        """
        import trio
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from otel_apimetrics import ApiMetricsASGIMiddleware, _guard, asking
        from tests.in_process import make_scope
        asking.PATIENCE = 0.05
        spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"body"})
            print("background")
        async def identify(exchange):
            print("asked")
            await trio.sleep(0)
            if exchange.request.path == "/never":
                await trio.sleep_forever()
            return "acme"
        served = ApiMetricsASGIMiddleware(app, identify=identify, tracer_provider=provider)
        async def send(message):
            pass
        async def main():
            await served(make_scope(), trio.sleep_forever, send)
            await served(make_scope(path="/never"), trio.sleep_forever, send)
            asking.PATIENCE = 5.0
            with trio.move_on_after(0.05) as scope:
                await served(make_scope(path="/never"), trio.sleep_forever, send)
            print(scope.cancelled_caught)
        trio.run(main)
        for span in spans.get_finished_spans():
            print(span.attributes.get("apimetrics.consumer.id"))
        print(_guard.counts())
        """
    )
    assert said.splitlines() == [
        *("background", "asked") * 3,
        "True",
        "acme",
        "None",
        "None",
        "{'hooks.timeout': 1}",
    ]
