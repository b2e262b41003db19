"""One variant in a process of its own: told over a pipe, answers over a pipe.

Contrib's instrumentors patch whole classes, so two variants cannot share a process.
"""

import cProfile
import gc
import json
import os
import pstats
import sys
from collections.abc import Callable
from time import perf_counter, process_time, thread_time
from typing import Any, TextIO

from benchmarks import apps, drivers
from benchmarks.telemetry import Telemetry
from benchmarks.variants import named


class Worker:
    """Serves blocks of requests.

    Args:
        order: "framework", "variant", "endpoint" (`None`: spans stay in memory), "re2" (false: as
            where the extra `fast` is not installed) and "span" (`None` but for the floor).
    """

    def __init__(self, order: dict[str, Any]) -> None:
        if not order["re2"]:
            sys.modules["re2"] = None  # type: ignore[assignment]
        framework, variant = order["framework"], named(order["framework"], order["variant"])
        self._telemetry = (
            Telemetry(order["endpoint"], sampled=variant.sampled) if variant.exports else None
        )
        app = apps.make(framework, variant, self._telemetry, order["span"])
        self._serve = drivers.make(framework, app, variant.payload)

    def block(self, requests: int) -> dict[str, float]:
        """Serve, flush, and give microseconds a request.

        Returns:
            "cpu": of all threads of this process, exporting included; "thread": of the
            serving thread alone, without the flush; "wall".
        """
        gc.collect()
        wall, cpu, thread = perf_counter(), process_time(), thread_time()
        self._serve(requests)
        thread = thread_time() - thread
        self._flush()
        cpu, wall = process_time() - cpu, perf_counter() - wall
        scale = 1e6 / requests
        return {"cpu": cpu * scale, "thread": thread * scale, "wall": wall * scale}

    def latencies(self, requests: int) -> dict[str, Any]:
        """Serve while spans are exported, and give the microseconds of each request."""
        gc.collect()
        taken = []
        for _ in range(requests):
            began = perf_counter()
            self._serve(1)
            taken.append((perf_counter() - began) * 1e6)
        self._flush()
        return {"us": taken}

    def dump(self, requests: int) -> dict[str, Any]:
        """Serve, and give the last span that was kept in memory."""
        self._serve(requests)
        if self._telemetry is None:
            raise RuntimeError("this variant makes no span")
        span = self._telemetry.memory.get_finished_spans()[-1]
        return {"name": span.name, "attributes": dict(span.attributes or {})}

    def profile(self, requests: int) -> dict[str, Any]:
        """Serve under cProfile: the serving thread only, and slower than without.

        Returns:
            "functions": rows of file, line, name, calls a request, own and cumulative
            microseconds a request.
        """
        profiler = cProfile.Profile()
        profiler.runcall(self._serve, requests)
        self._flush()
        scale = 1e6 / requests
        found: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
        return {
            "functions": [
                (file, line, name, calls / requests, own * scale, total * scale)
                for (file, line, name), (_, calls, own, total, _) in found.items()
            ]
        }

    def close(self) -> None:
        """End the exporting threads."""
        if self._telemetry is not None:
            self._telemetry.shutdown()

    def _flush(self) -> None:
        if self._telemetry is not None:
            self._telemetry.flush()


def main() -> None:
    """Obey one JSON line at a time until the pipe is closed."""
    channel = _channel()
    worker = Worker(json.loads(sys.argv[1]))
    doors: dict[str, Callable[[int], Any]] = {
        "block": worker.block,
        "latencies": worker.latencies,
        "dump": worker.dump,
        "profile": worker.profile,
    }
    print(json.dumps({"ready": True}), file=channel, flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        print(json.dumps(doors[told["do"]](told["requests"])), file=channel, flush=True)
    worker.close()


def _channel() -> TextIO:
    """Keep the pipe for answers, and send what a library prints to standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return channel


if __name__ == "__main__":
    main()
