"""A directory of prometheus_client's that is everybody's, as volumes often are."""

import os
import subprocess
import sys

import flask
import pytest

from otel_apimetrics import ConfigError
from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornInternalPrometheusMetrics,
)
from otel_apimetrics.prometheus import PrometheusReader

OWN = f"otel-apimetrics-{os.geteuid()}"
COUNTS_ONE = """
import flask
from otel_apimetrics.compat.prometheus_flask_exporter.multiprocess import (
    GunicornInternalPrometheusMetrics,
)
app = flask.Flask("shop")
GunicornInternalPrometheusMetrics(app)
client = app.test_client()
client.get("/nope")
print(client.get("/metrics").text)
"""
TOTAL = 'flask_http_request_total{{method="GET",status="404"}} {}.0\n'


@pytest.fixture(params=[0o777, 0o1777, 0o2775])
def volume(request, monkeypatch, tmp_path):
    made = tmp_path / "volume"
    made.mkdir()
    made.chmod(request.param)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(made))
    return made


@pytest.mark.row(71)
def test_processes_meet_in_a_directory_of_their_user_within(volume):
    for expected in (1, 2):
        done = subprocess.run(
            [sys.executable, "-c", COUNTS_ONE], capture_output=True, text=True, check=False
        )
        assert TOTAL.format(expected) in done.stdout, done.stderr
    assert [path.name for path in volume.iterdir() if path.is_dir()] == [OWN]
    assert (volume / OWN).stat().st_mode & 0o777 == 0o700


def test_a_directory_of_the_apps_own_is_taken_as_it_is(monkeypatch, tmp_path):
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert PrometheusReader().place.key[0] == os.path.realpath(tmp_path)


@pytest.mark.parametrize("way", ["link", "open", "file"])
def test_what_somebody_else_has_put_in_its_place_is_refused(way, volume, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(0o700)
    if way == "link":
        (volume / OWN).symlink_to(elsewhere)
    elif way == "file":
        (volume / OWN).touch()
    else:
        (volume / OWN).mkdir()
        (volume / OWN).chmod(0o770)
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_PROMETHEUS_DIRECTORY"):
        GunicornInternalPrometheusMetrics(flask.Flask("shop"))
    assert list(elsewhere.iterdir()) == []


@pytest.mark.swallows_errors
def test_a_link_that_takes_its_place_later_is_not_followed(volume, tmp_path, caplog):
    reader = PrometheusReader()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(0o700)
    (volume / OWN).rename(volume / "moved")
    (volume / OWN).symlink_to(elsewhere)
    reader.force_flush()
    assert list(elsewhere.iterdir()) == []
    assert "others may write there" in caplog.text
    reader.shutdown()


def test_a_directory_that_is_named_for_us_is_refused_where_others_may_write(volume, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_DIRECTORY", str(volume))
    with pytest.raises(ConfigError, match="others may write there"):
        PrometheusReader()
