"""The directories that exporters make, and those that a worker has lost the rights to."""

import stat
import subprocess
import sys

import pytest

from otel_apimetrics.exporters.har import HarFileExporter
from otel_apimetrics.exporters.spool import Spool
from tests.exporters.sink import Reply


@pytest.mark.parametrize(
    "keep",
    [
        lambda directory: HarFileExporter(path=directory / "t.har"),
        lambda directory: Spool(directory, "vendor", "account"),
    ],
    ids=["har", "spool"],
)
def test_each_directory_that_is_made_is_for_its_owner_alone(tmp_path, keep):
    tmp_path.chmod(0o755)
    keep(tmp_path / "a" / "b")
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "a" / "b").parents[:2]]
    inner = stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode)
    assert [inner, *modes] == [0o700, 0o700, 0o755]


WORKER = """
import logging, os, sys
logging.basicConfig(format="%(message)s", level=logging.WARNING)
from otel_apimetrics import _guard, health
from otel_apimetrics.exporters import sender
from otel_apimetrics.exporters.apitally import ApitallySpanExporter
from otel_apimetrics.exporters.har import HarFileExporter
from otel_apimetrics.exporters.moesif import MoesifSpanExporter
from tests.exporters.apitally.scenarios import item
sender.FIRST_PAUSE = sender.LONGEST_PAUSE = 0.01

which, url, directory = sys.argv[1:]
if which == "moesif":
    exporter = MoesifSpanExporter(
        application_id="k", base_uri=url, spool=directory, dynamic_sampling=False
    )
elif which == "apitally":
    exporter = ApitallySpanExporter(write_token="apt_" + "a" * 24, endpoint=url, spool=directory)
else:
    exporter = HarFileExporter(path=f"{directory}/traffic.har")
    os.unlink(f"{directory}/.traffic.har.lock")
os.chmod(directory, 0o500)
if os.geteuid() == 0:
    os.setuid(65534)
for number in (1, 2):
    exporter.export_exchanges([item(number)])
exporter.force_flush(20_000)
ours = [place for place in _guard.counts() if place.startswith(("exporter", "spool"))]
print(health.counts("sent"), health.counts("failed"), ours)
os._exit(0)
"""


@pytest.mark.parametrize(
    ("which", "option", "counts"),
    [
        ("moesif", "spool", "{} {('moesif', 'unavailable'): 2} []"),
        ("apitally", "spool", "{('apitally', ''): 2} {} []"),
        ("har", "path", "{} {('har', 'unavailable'): 2} []"),
    ],
)
def test_it_is_told_once_which_directory_which_user_and_what_to_do(
    backend, tmp_path, which, option, counts
):
    if which == "moesif":
        backend.otherwise = Reply(503)
    directory = tmp_path / "kept"
    command = [sys.executable, "-u", "-c", WORKER, which, backend.url, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    said = [line for line in done.stderr.splitlines() if "cannot write" in line]
    assert len(said) == 1
    assert f"The exporter {which} cannot write to the directory {directory} ({option})" in said[0]
    assert "as the user " in said[0]
    assert (
        f"install -d -m 700 -o {said[0].partition('as the user ')[2].partition(',')[0]}" in said[0]
    )
    assert done.stdout.strip() == counts
