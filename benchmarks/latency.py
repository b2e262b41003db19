"""How long requests take while spans are exported: time on the wall, by quantiles.

The exporting thread and the one that serves share the interpreter's lock. What lets go of it in a
request, as google-re2 and each read of a socket do, may wait for it again for up to 5 ms
(`sys.getswitchinterval()`) while a batch is encoded.
"""

import argparse
from collections.abc import Sequence
from contextlib import closing
from statistics import fmean, quantiles

from benchmarks import measure, report
from benchmarks.arguments import at_least
from benchmarks.processes import Server, Sink
from benchmarks.variants import FRAMEWORKS, named

_VARIANTS = ("bare", "floor", "contrib", "own-off", "own-full")
_WITHOUT_RE2 = "own-full, no re2"
_HEAD = (
    "| variant | median, ms | 95th | 99th | 99.9th | mean |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: |"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = _parser().parse_args(arguments)
    print(report.header(report.machine()))
    for framework in [asked.only] if asked.only else FRAMEWORKS:
        print(f"\n{framework}, {asked.requests} requests in a row\n\n{_HEAD}", flush=True)
        for name in (*_VARIANTS, _WITHOUT_RE2):
            print(_line(name, _taken(framework, name, asked.requests)), flush=True)


def _taken(framework: str, name: str, requests: int) -> list[float]:
    """Give the microseconds of each request of a variant, warmed up."""
    variant = named(framework, name.partition(",")[0])
    with closing(Sink()) as sink:
        span = measure.span_to_say(framework, variant)
        endpoint = sink.endpoint(variant.name)
        with closing(
            Server(framework, variant, endpoint, span, re2=name != _WITHOUT_RE2)
        ) as server:
            server.do("block", min(measure.WARM_UP, requests))
            taken: list[float] = server.do("latencies", requests)["us"]
    return taken


def _line(name: str, taken: Sequence[float]) -> str:
    thousandths = quantiles(taken, n=1000, method="inclusive")
    shown = [thousandths[place - 1] for place in (500, 950, 990, 999)]
    figures = " | ".join(f"{us / 1e3:.2f}" for us in (*shown, fmean(taken)))
    return f"| {name} | {figures} |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Less than a minute for each framework.",
    )
    parser.add_argument(
        "--requests", type=at_least(2), default=3_000, help="of each variant; default 3000"
    )
    parser.add_argument("--only", choices=FRAMEWORKS, help="one framework")
    return parser


if __name__ == "__main__":
    main()
