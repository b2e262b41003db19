"""What a process that was forked in C has to make anew, at its first request.

`os.fork` runs the handlers of `os.register_at_fork`, and with them the SDK's: new threads, new
locks, another `service.instance.id`. uWSGI forks in C and runs none. Its workers then have a
metric reader without a thread, whose counts nobody exports, and one instance id for all.
"""

import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk import resources

from otel_apimetrics import _guard

_INSIDE = (
    "_active_span_processor", "_span_processors", "_batch_processor",
    "_multi_log_record_processor", "_log_record_processors",
    "_measurement_consumer", "_reader_storages",
)  # fmt: skip
"""Attributes that lead from a provider of the SDK to what has a thread."""

_TASKS = Path("/proc/self/task")

_providers: "weakref.WeakSet[Any]" = weakref.WeakSet()
_lock = Lock()
_handled = os.getpid()
"""The last process in which handlers of `os.register_at_fork` ran, or that imported us."""
_begun = 0
"""The last process that has served a request."""
at_begin: list[Callable[[], None]] = []
"""Run at the first request of each process, before anything of it is counted."""


def watch(*given: Any) -> None:
    """Remember providers that are not the global ones, so that a worker renews them too."""
    for provider in given:
        if provider is not None:
            try:
                _providers.add(provider)
            except TypeError:  # one that cannot be weakly referenced is not the SDK's
                continue


def providers() -> list[Any]:
    """Give the global providers and those of `watch`, each once."""
    found = (trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider())
    return list({id(each): each for each in (*found, *_providers)}.values())


def exporters(provider: Any) -> Iterator[Any]:
    """Give the span exporters behind the SDK's own processors of a provider."""
    for part in _parts(provider):
        for name in ("span_exporter", "_exporter"):
            exporter = getattr(part, name, None)
            if exporter is not None:
                yield exporter
                break


def begin_process() -> None:
    """Do at the first request of a process what its fork has left out. Never raises."""
    global _begun  # noqa: PLW0603  the process that this was done for
    if _begun == os.getpid():
        return
    with _lock:
        if _begun != os.getpid():
            try:
                _begin()
            except Exception as error:
                _guard.swallow("forked.begin", error)
            _begun = os.getpid()


def has_no_threads() -> bool:
    """Tell whether uWSGI runs without threads of Python's: one that is started would starve."""
    return getattr(sys.modules.get("uwsgi"), "has_threads", 1) == 0


def may_have_thread() -> bool:
    """Tell whether a thread that stays may be started here.

    Not without threads of Python's, and not in uWSGI's master: it forks whatever locks they hold.
    """
    # Stand-ins for uWSGI's module, outside of it, have none of its functions.
    masterpid = getattr(sys.modules.get("uwsgi"), "masterpid", None)
    return not has_no_threads() and (masterpid is None or masterpid() != os.getpid())


def _begin() -> None:
    if has_no_threads():
        _guard.warn_once(
            "forked.threads",
            "uWSGI runs without threads: telemetry leaves while a request runs, or when the worker"
            " ends, and what does not fit is dropped. Set enable-threads = true.",
        )
    if _handled != os.getpid():
        parents_id = _parents_instance_id()
        for provider in providers():
            _renew(provider, parents_id)
    for each in tuple(at_begin):
        try:
            each()
        except Exception as error:  # noqa: PERF203  one fails, the others begin
            _guard.swallow("forked.at_begin", error)


def _renew(provider: Any, parents_id: str | None) -> None:
    """Call the handlers that the SDK has registered for a fork, where they have not run.

    In the order of the SDK's own registration: the parts, then the provider. One that was made
    in this worker has its threads and no id of the parent's, and stays as it is.
    """
    lost = [part for part in _parts(provider) if any(map(_is_gone, _threads(part)))]
    try:
        for part in lost:
            if hasattr(part, "_at_fork_reinit"):
                part._at_fork_reinit()  # noqa: SLF001
            else:
                part._init_executor(part._executor._max_workers)  # noqa: SLF001
        if lost or (parents_id is not None and _instance_id(provider) == parents_id):
            provider._handle_fork()  # noqa: SLF001
    except Exception as error:
        _guard.swallow("forked.renew", error)
        _guard.warn_once(
            "forked.sdk",
            "This version of the SDK cannot be renewed after uWSGI's fork: telemetry of this worker"
            " may be lost. Set py-call-uwsgi-fork-hooks = true.",
        )


def _parents_instance_id() -> str | None:
    """Give the `service.instance.id` that the SDK has made before the fork, if it has."""
    if getattr(resources, "_service_instance_id_pid", None) == os.getpid():
        return None
    return getattr(resources, "_service_instance_id", None)


def _instance_id(provider: Any) -> Any:
    config = getattr(provider, "_sdk_config", provider)  # a meter provider's, or itself
    resource = getattr(config, "resource", None)
    return resource and resource.attributes.get(resources.SERVICE_INSTANCE_ID)


def _parts(root: Any) -> Iterator[Any]:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, (tuple, list, dict)):
            waiting.extend(part)
            continue
        yield part
        waiting.extend(
            vars(part)[name] for name in _INSIDE if name in getattr(part, "__dict__", ())
        )


def _threads(part: Any) -> Iterable[Any]:
    """Give the threads of a batch processor, a periodic reader, or a concurrent processor."""
    for name in ("_worker_thread", "_daemon_thread"):
        thread = getattr(part, name, None)
        if thread is not None:
            return (thread,)
    executor = getattr(part, "_executor", None)
    return tuple(getattr(executor, "_threads", ()))


def _is_gone(thread: Any) -> bool:
    """Tell whether a thread is the parent's. Without handlers `is_alive` does not know."""
    if not isinstance(thread, Thread):
        return False
    if not thread.is_alive():
        return True
    return not _TASKS.is_dir() or not (_TASKS / str(thread.native_id)).exists()


def _note_handlers() -> None:
    global _handled, _lock  # noqa: PLW0603  a lock inherited through fork may be held by nobody
    _handled = os.getpid()
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_handlers)
