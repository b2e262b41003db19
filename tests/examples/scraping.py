"""Runs a section of the Prometheus examples' README: its server, its requests, its scrapes."""

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from tests.examples.running import EXAMPLES, environment, process, wait
from tests.ports import free_port

PAGE = EXAMPLES / "prometheus" / "README.md"
PORTS = ("8000", "9464", "9090")
"""As the page has them: of the apps, of scrapes alone, of Prometheus."""

Samples = Mapping[tuple[object, ...], float]
"""Numbers by the name and the labels of their series."""

_SECONDS = 60.0


class Section(NamedTuple):
    """One example."""

    title: str
    server: str
    """Shell lines; the last one is the server."""
    requests: list[str]
    """Shell lines, with what they print as a comment where it is told."""
    scrapes: list[str]
    """Two shell lines: in the text format, in OpenMetrics."""
    shown: str
    """Series that both formats show, all that there are of these names."""

    @property
    def components(self) -> list[str]:
        needed = [name for name in ("uwsgi", "connexion") if name in self.server]
        return ["curl", *needed]


def sections() -> Iterator[Section]:
    """The examples in the order of the page."""
    for part in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        server, use, *_ = re.findall(r"^```sh\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
        (shown,) = re.findall(r"^```\n(\w.*?)^```$", part, re.MULTILINE | re.DOTALL)
        *requests, plain, openmetrics = use.splitlines()
        yield Section(part.splitlines()[0], server, requests, [plain, openmetrics], shown)


SECTIONS = {section.title: section for section in sections()}


class Example(NamedTuple):
    """One that accepts connections."""

    ports: Mapping[str, int]
    """By those that the page has."""
    log: Path

    def placed(self, text: str) -> str:
        """Put this example's ports in the place of the page's."""
        return re.sub("|".join(PORTS), lambda match: str(self.ports[match[0]]), text)

    def run(self, line: str) -> str:
        """Run a line of the page; give what it prints."""
        done = subprocess.run(
            ["sh", "-euc", self.placed(line)],
            cwd=PAGE.parent,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}\n{self.log.read_text()[-5000:]}"
        return done.stdout

    def use(self, section: Section) -> str:
        """Send an example's requests; fail where they are not answered as the page tells."""
        said = []
        for line in section.requests:
            said.append(self.run(line))
            _, is_told, told = line.partition("  # ")
            assert not is_told or said[-1] == told
        return "".join(said)


@contextmanager
def serving(section: Section, directory: Path) -> Iterator[Example]:
    """Start an example's server on free ports."""
    example = Example({port: free_port() for port in PORTS}, directory / "app.log")
    *before, command = example.placed(section.server).splitlines()
    script = "\n".join((*before, f"exec {command}"))
    env = environment(TMPDIR=str(directory), VIRTUAL_ENV=sys.prefix)
    with process(script, PAGE.parent, example.log, env):
        wait("server", lambda: accepts(example.ports["8000"]), example.log)
        yield example


def accepts(port: int) -> bool:
    """Tell whether somebody listens, without a request."""
    try:
        create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def scraped(example: Example, line: str, expected: Samples) -> Samples:
    """Scrape until what is expected is shown, or long enough: a client has its answer before the
    request is counted."""
    names = {name for name, *_ in expected}
    deadline = time.monotonic() + _SECONDS
    while True:
        text = example.run(line)
        read = read_openmetrics if "openmetrics" in line else read_text
        found = {key: value for key, value in samples(read(text)).items() if key[0] in names}
        if found == expected or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def samples(families: Iterable[Metric]) -> Samples:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
