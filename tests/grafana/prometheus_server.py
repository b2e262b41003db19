"""A real Prometheus that scrapes every second, and its API as Grafana asks it."""

import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.serving import PATIENCE, environment, serving

RULES = Path(__file__).parents[2] / "grafana" / "rules"
SCRAPE_SECONDS = 1

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Prometheus:
    """What a running one has to say."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.began = time.time()

    def instant(self, query: str) -> list[dict[str, Any]]:
        """Give the series of a query now, each with one sample in `values`."""
        found = self.ask("query", query=query)["result"]
        return [{"metric": one["metric"], "values": [one["value"]]} for one in found]

    def over_time(self, query: str) -> list[dict[str, Any]]:
        """Give the series of a query from the beginning until now, a sample a second."""
        asked = {"query": query, "start": self.began, "end": time.time(), "step": SCRAPE_SECONDS}
        return self.ask("query_range", **asked)["result"]

    def wait(self, query: str, done: Callable[[list[float]], bool]) -> None:
        """Wait until the values of a query are what they should be."""
        deadline = time.monotonic() + PATIENCE
        while not done(values := [float(one["values"][0][1]) for one in self.instant(query)]):
            assert time.monotonic() < deadline, f"{query} is still {values}"
            time.sleep(0.1)

    def wait_until_ready(self) -> None:
        """Wait until it has read what it has on the disk; until then it refuses queries."""
        deadline = time.monotonic() + PATIENCE
        while (status := self._readiness()) != 200:
            assert status == 503
            assert time.monotonic() < deadline, "Prometheus does not become ready"
            time.sleep(0.05)

    def ask(self, what: str, **parameters: object) -> Any:
        """Call the API; what it refuses fails with its reason."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with _opener.open(f"{self._url}/api/v1/{what}?{query}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            reason = error.read().decode()
            raise AssertionError(f"{parameters}: {reason}") from None

    def _readiness(self) -> int:
        try:
            with _opener.open(f"{self._url}/-/ready", timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def prometheus(folder: Path, scraped: dict[str, Any]) -> Iterator[Prometheus]:
    """Run one with our rules until the block ends.

    Args:
        folder: for its configuration, its data and its log.
        scraped: an entry of `scrape_configs`.
    """
    interval = f"{SCRAPE_SECONDS}s"
    config = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "rule_files": [f"{RULES}/*.yaml"],
        "scrape_configs": [scraped],
    }
    file = folder / "prometheus.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    command = [
        str(shutil.which("prometheus")),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--enable-feature=exemplar-storage",
        "--web.listen-address=127.0.0.1:{port}",
    ]
    with serving(command, folder / "prometheus.log", environment()) as process:
        server = Prometheus(f"http://127.0.0.1:{process.port}")
        server.wait_until_ready()
        yield server
