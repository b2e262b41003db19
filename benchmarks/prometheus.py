"""What the metrics of a Flask app cost, beside prometheus-flask-exporter's own, in one run.

`python -m benchmarks.prometheus` needs `.venv-vendors`, which has that package.
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
OURS: Final = "otel_apimetrics.compat.prometheus_flask_exporter"
THEIRS: Final = "prometheus_flask_exporter"
VENDORS: Final = Path(__file__).parents[1] / ".venv-vendors" / "bin" / "python"
_WARM_UP: Final = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What one app's metrics cost a request, in microseconds of the serving thread.

    That of the block of each app that the machine's other work has disturbed least.
    """

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
            f"{word}  {self.app}: {self.ours:.1f} us a request, prometheus-flask-exporter"
            f" {self.theirs:.1f} us: {self.ratio:.2f}, at most {LIMIT}"
        )


def measure(rounds: int, requests: int) -> list[Found]:
    """Serve blocks of all apps in turn, in a process with each package.

    Args:
        rounds: how often each app is visited.
        requests: of one block.
    """
    least: dict[str, dict[str, float]] = {OURS: {}, THEIRS: {}}
    with ExitStack() as stack:
        peers = {
            module: stack.enter_context(
                closing(ServedByPipe("prometheus_apps", module, python=python))
            )
            for module, python in ((OURS, sys.executable), (THEIRS, str(VENDORS)))
        }
        for peer in peers.values():
            peer.ask(_WARM_UP)
        for number in range(rounds):
            # Neither is always the first.
            for module in sorted(peers, reverse=bool(number % 2)):
                for app, took in peers[module].ask(requests).items():
                    least[module][app] = min(took, least[module].get(app, took))
    bare = APPS[0]
    ours, theirs = (
        {app: took - least[module][bare] for app, took in least[module].items()}
        for module in (OURS, THEIRS)
    )
    return [Found(app, ours[app], theirs[app]) for app in APPS[1:]]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a line an app; 1 where ours costs more."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prometheus", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="blocks an app; default 40")
    parser.add_argument("--requests", type=int, default=250, help="of a block; default 250")
    asked = parser.parse_args(arguments)
    found = measure(asked.rounds, asked.requests)
    for each in found:
        print(each, flush=True)
    return int(any(each.ratio > LIMIT for each in found))


if __name__ == "__main__":
    sys.exit(main())
