"""What the metrics of Prometheus' fronts cost, beside the packages themselves, in one run.

`python -m benchmarks.prometheus` needs `.venv-vendors`, which has the packages.
"""

import argparse
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import ServedByPipe
from benchmarks.prometheus_apps import APPS

LIMIT: Final = 1.0
"""Most that ours may cost, in what theirs cost."""
VENDORS: Final = Path(__file__).parents[1] / ".venv-vendors" / "bin" / "python"
_WARM_UP: Final = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What one app's metrics cost a request, in microseconds of the serving thread.

    That of the block of each app that the machine's other work has disturbed least.
    """

    package: str
    app: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Give ours in theirs."""
        return self.ours / self.theirs if self.theirs > 0 else float("inf")

    def __str__(self) -> str:
        word = "PASS" if self.ratio <= LIMIT else "FAIL"
        return (
            f"{word}  {self.package}, {self.app}: {self.ours:.1f} us a request, the package"
            f" {self.theirs:.1f} us: {self.ratio:.2f}, at most {LIMIT}"
        )


def measure(package: str, rounds: int, requests: int) -> list[Found]:
    """Serve blocks of all apps of a package in turn, in a process with it and one with ours.

    Args:
        package: one of `APPS`.
        rounds: how often each app is visited.
        requests: of one block.
    """
    sides = {
        "ours": (f"otel_apimetrics.compat.{package}", sys.executable),
        "theirs": (package, str(VENDORS)),
    }
    least: dict[str, dict[str, float]] = {side: {} for side in sides}
    with ExitStack() as stack:
        peers = {
            side: stack.enter_context(
                closing(ServedByPipe("prometheus_apps", package, module, python=python))
            )
            for side, (module, python) in sides.items()
        }
        for peer in peers.values():
            peer.ask(_WARM_UP)
        for number in range(rounds):
            # Neither is always the first.
            for side in sorted(peers, reverse=bool(number % 2)):
                for app, took in peers[side].ask(requests).items():
                    least[side][app] = min(took, least[side].get(app, took))
    bare, *apps = APPS[package][1]
    ours, theirs = (
        {app: took - least[side][bare] for app, took in least[side].items()} for side in sides
    )
    return [Found(package, app, ours[app], theirs[app]) for app in apps]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a line an app; 1 where ours costs more."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prometheus", description=__doc__)
    parser.add_argument("--only", choices=APPS, help="one package; default all")
    parser.add_argument("--rounds", type=int, default=40, help="blocks an app; default 40")
    parser.add_argument("--requests", type=int, default=250, help="of a block; default 250")
    asked = parser.parse_args(arguments)
    found = []
    for package in [asked.only] if asked.only else APPS:
        for each in measure(package, asked.rounds, asked.requests):
            print(each, flush=True)
            found.append(each)
    return int(any(each.ratio > LIMIT for each in found))


if __name__ == "__main__":
    sys.exit(main())
