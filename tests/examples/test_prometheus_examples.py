"""The Prometheus examples, as their README has them started, used and scraped."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from examples.prometheus.sample_signals.traffic import ROUND
from tests.examples.running import environment, process, wait
from tests.examples.scraping import PAGE, SECTIONS, Section, accepts, samples, scraped, serving
from tests.grafana.prometheus_server import Prometheus

pytestmark = pytest.mark.e2e

FOLDER = PAGE.parent / "sample_signals"


def run(section: Section, directory: Path) -> None:
    """Start an example, use it, and scrape it in both formats."""
    once = samples(read_text(section.shown))
    assert once
    with serving(section, directory) as example:
        answers, rounds = example.use(section), 1
        # Where there are several workers, one scrape shows what more than one has counted.
        while "worker" in answers and len(set(re.findall(r'"worker":(\d+)', answers))) < 2:
            assert rounds < 50, answers
            answers, rounds = answers + example.use(section), rounds + 1
        expected = {series: rounds * number for series, number in once.items()}
        for line in section.scrapes:
            assert scraped(example, line, expected) == expected, line
    assert "otel-apimetrics" not in example.log.read_text()


def alert(section: Section, directory: Path) -> None:
    """Let Prometheus scrape an example that is used, until it alerts."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith("prometheus ")]
    log = directory / "prometheus.log"
    with serving(section, directory) as example:
        config = directory / "prometheus.yml"
        text = (FOLDER / "prometheus.yml").read_text().replace("../../..", str(PAGE.parents[2]))
        config.write_text(example.placed(text).replace("alerts.yml", str(FOLDER / "alerts.yml"), 1))
        script = "exec " + example.placed(line).replace("sample_signals/prometheus.yml", "$CONFIG")
        env = environment(CONFIG=str(config), TMPDIR=str(directory))
        with process(script, PAGE.parent, log, env):
            wait("Prometheus", lambda: accepts(example.ports["9090"]), log)
            server = Prometheus(f"http://127.0.0.1:{example.ports['9090']}")
            server.wait_until_ready()
            for times in (1, 2):
                example.use(section)
                server.wait("sum(apimetrics_requests_total)", [4.0 * times * len(ROUND)].__eq__)
            for name in ("PaymentsRefused", "ReportsFail"):
                server.wait(f'ALERTS{{alertname="{name}",alertstate="firing"}}', [1.0].__eq__)
            server.wait("signals:payments:refused_ratio", [0.5].__eq__)


@pytest.fixture(scope="module")
def tried(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[tuple[Any, str], Future[None]]]:
    """Each story that a test tells of an example, several at once: they wait most of their time."""
    chosen = [
        (item.callspec.params["story"], item.callspec.params["title"])
        for item in request.session.items
        if item.module is request.module and "tried" in item.fixturenames
    ]
    with ThreadPoolExecutor(4) as pool:
        yield {
            (story, title): pool.submit(story, SECTIONS[title], tmp_path_factory.mktemp("example"))
            for story, title in chosen
        }


def test_the_page_has_each_way_to_be_scraped():
    assert list(SECTIONS) == [
        "Sample signals",
        "HTTP auth on the endpoint",
        "WSGI",
        "App factory",
        "Internal port",
        "Flask-RESTful",
        "Connexion",
        "Gunicorn",
        "Gunicorn, internal",
        "uWSGI",
        "uWSGI, lazy-apps",
    ]
    for section in SECTIONS.values():
        plain, openmetrics = section.scrapes
        assert plain == openmetrics.replace("-H 'Accept: application/openmetrics-text' ", "")
        assert plain != openmetrics


@pytest.mark.needs("prometheus", "curl")
@pytest.mark.parametrize(("story", "title"), [(alert, "Sample signals")], ids=[""])
def test_prometheus_counts_the_sample_signals_and_alerts_on_them(
    story: Any, title: str, tried: dict[tuple[Any, str], Future[None]]
):
    tried[story, title].result()


@pytest.mark.parametrize(
    ("story", "title"),
    [
        pytest.param(run, title, marks=pytest.mark.needs(*section.components), id=title)
        for title, section in SECTIONS.items()
    ],
)
def test_an_example_shows_its_requests_in_both_formats(
    story: Any, title: str, tried: dict[tuple[Any, str], Future[None]]
):
    tried[story, title].result()


@pytest.mark.needs("prometheus")
def test_promtool_finds_nothing_wrong_with_the_configuration():
    done = subprocess.run(
        ["promtool", "check", "config", FOLDER / "prometheus.yml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rule files found" in done.stdout
