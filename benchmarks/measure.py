"""Blocks of all variants in turn, several rounds of them."""

import sys
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.processes import Server, Sink
from benchmarks.variants import Variant, named, of

WARM_UP = 300
"""Requests a variant before the first round."""


@dataclass(frozen=True, slots=True)
class Block:
    """What one block of requests took; times in microseconds of a request."""

    cpu: float
    """All threads of the process, exporting included."""
    thread: float
    """The serving thread, before the flush."""
    wall: float
    spans: float
    """Spans a request that reached the sink."""
    bytes: float
    """Bytes of OTLP traces a request."""


Blocks = dict[str, list[Block]]
"""Blocks by variant, one a round: those of one round were taken one after the other."""


def span_to_say(framework: str, variant: Variant) -> dict[str, Any] | None:
    """Give "name" and "attributes" of what a floor has to say; `None` for other variants."""
    if variant.producer == "floor":
        return _dump(framework, "own-full")
    if variant.producer == "contrib-floor":
        adopted, before = (_dump(framework, name) for name in ("adopted-off", "contrib"))
        said = before["attributes"].items()
        added = {
            key: value for key, value in adopted["attributes"].items() if (key, value) not in said
        }
        return {**adopted, "attributes": added}
    return None


def _dump(framework: str, name: str) -> dict[str, Any]:
    with closing(Server(framework, named(framework, name), None)) as server:
        span: dict[str, Any] = server.do("dump", 2)
    return span


def measure(framework: str, rounds: int, requests: int) -> Blocks:
    """Run all variants of a framework.

    Args:
        framework: see `variants.FRAMEWORKS`.
        rounds: how often each variant is visited.
        requests: of one block.
    """
    blocks: Blocks = {variant.name: [] for variant in of(framework)}
    with ExitStack() as stack:
        sink = stack.enter_context(closing(Sink()))
        servers: dict[str, Server] = {}
        for variant in of(framework):
            span = span_to_say(framework, variant)
            server = Server(framework, variant, sink.endpoint(variant.name), span)
            servers[variant.name] = stack.enter_context(closing(server))
        for name, server in servers.items():
            server.do("block", min(WARM_UP, requests))
            sink.take(name)
        for number in range(rounds):
            print(f"{framework}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for name in in_turn(list(servers), number):
                times = servers[name].do("block", requests)
                taken = {what: count / requests for what, count in sink.take(name).items()}
                blocks[name].append(Block(**times, **taken))
    return blocks


def in_turn(names: list[str], number: int) -> list[str]:
    """Give the order of one round: no variant always follows the same one."""
    start = number // 2 % len(names)
    turned = names[start:] + names[:start]
    return turned[::-1] if number % 2 else turned


def profile(framework: str, variant: Variant, requests: int) -> list[list[Any]]:
    """Run one variant under cProfile, see `Worker.profile`."""
    span = span_to_say(framework, variant)
    # Nothing is exported: cProfile reads the wall clock, so what lets go of the interpreter's
    # lock (os.urandom does) would be charged with what an exporting thread does meanwhile.
    with closing(Server(framework, variant, None, span)) as server:
        server.do("block", WARM_UP)
        functions: list[list[Any]] = server.do("profile", requests)["functions"]
    return functions


def as_json(blocks: Blocks) -> dict[str, list[dict[str, float]]]:
    """Give the raw measurements."""
    return {name: [asdict(block) for block in taken] for name, taken in blocks.items()}
