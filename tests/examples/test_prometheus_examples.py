"""The Prometheus examples, as their README has them started, used and scraped."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from examples.prometheus.sample_signals.traffic import ROUND
from tests.examples.running import environment, process, wait
from tests.examples.scraping import PAGE, SECTIONS, Section, accepts, samples, scraped, serving
from tests.grafana.prometheus_server import Prometheus

pytestmark = pytest.mark.e2e

SIGNALS = SECTIONS["Sample signals"]
FOLDER = PAGE.parent / "sample_signals"


def run(section: Section, directory: Path) -> None:
    """Start an example, use it, and scrape it in both formats."""
    expected = samples(read_text(section.shown))
    assert expected
    with serving(section, directory) as example:
        for line in section.requests:
            example.ask(line)
        for line in section.scrapes:
            assert scraped(example, line, expected) == expected, line
    log = example.log.read_text()
    assert "otel-apimetrics" not in log


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[dict[str, Future[None]]]:
    """Each example that is tried here, several at once: they wait most of their time."""
    chosen = [
        item.callspec.params["title"]
        for item in request.session.items
        if item.module is request.module and "runs" in item.fixturenames
    ]
    with ThreadPoolExecutor(3) as pool:
        yield {
            title: pool.submit(run, SECTIONS[title], tmp_path_factory.mktemp("example"))
            for title in chosen
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
    ]
    for section in SECTIONS.values():
        plain, openmetrics = section.scrapes
        assert plain == openmetrics.replace("-H 'Accept: application/openmetrics-text' ", "")
        assert plain != openmetrics


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(title, marks=pytest.mark.needs(*section.components))
        for title, section in SECTIONS.items()
    ],
)
def test_an_example_shows_its_requests_in_both_formats(title: str, runs: dict[str, Future[None]]):
    runs[title].result()


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


@pytest.mark.needs("prometheus", "curl")
def test_prometheus_counts_the_sample_signals_and_alerts_on_them(tmp_path: Path):
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith("prometheus ")]
    log = tmp_path / "prometheus.log"
    with serving(SIGNALS, tmp_path) as example:
        config = tmp_path / "prometheus.yml"
        text = (FOLDER / "prometheus.yml").read_text().replace("../../..", str(PAGE.parents[2]))
        config.write_text(example.placed(text).replace("alerts.yml", str(FOLDER / "alerts.yml"), 1))
        script = "exec " + example.placed(line).replace("sample_signals/prometheus.yml", "$CONFIG")
        env = environment(CONFIG=str(config), TMPDIR=str(tmp_path))
        with process(script, PAGE.parent, log, env):
            wait("Prometheus", lambda: accepts(example.ports["9090"]), log)
            server = Prometheus(f"http://127.0.0.1:{example.ports['9090']}")
            server.wait_until_ready()
            for times in (1, 2):
                example.ask(SIGNALS.requests[0])
                server.wait("sum(apimetrics_requests_total)", [4.0 * times * len(ROUND)].__eq__)
            for alert in ("PaymentsRefused", "ReportsFail"):
                server.wait(f'ALERTS{{alertname="{alert}",alertstate="firing"}}', [1.0].__eq__)
            server.wait("signals:payments:refused_ratio", [0.5].__eq__)
