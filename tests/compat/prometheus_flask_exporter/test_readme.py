"""Each block of code in the package's own description runs with the import changed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.compat.beside import OF_TIME, ROOT
from tests.compat.prometheus_flask_exporter.readme import BLOCKS, run, sources
from tests.components import VENDORS

OURS = "otel_apimetrics.compat.prometheus_flask_exporter"
THEIRS = "prometheus_flask_exporter"
# Connexion is in the newest environment alone.
HERE = [number for number, block in enumerate(BLOCKS) if not block.needs or find_spec(block.needs)]
EXPECTED_FAILURES = {
    "usage": "500",
    "defaults of one's own": "500",
    "one metric for several views": "500",
    "group_by": None,
}


@pytest.fixture
def shared(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))


def test_all_blocks_are_known():
    assert len(sources()) == len(BLOCKS)
    assert [block.about for block in BLOCKS if block.repairs] == [*EXPECTED_FAILURES]


@pytest.mark.parametrize("number", HERE, ids=lambda number: BLOCKS[number].about)
def test_a_block_runs_with_the_import_changed(number, registry, request):
    block = BLOCKS[number]
    if "multiprocess" in sources()[number] + block.before:
        request.getfixturevalue("shared")
    statuses, text = run(number, OURS, repaired=True)
    assert 500 not in statuses
    for line in block.shows:
        assert line in text.splitlines()


@pytest.mark.e2e
@pytest.mark.needs("vendors")
def test_a_block_gives_what_it_gives_with_the_package_and_repairs_are_of_what_fails_there_too():
    for how in ("repaired", "as-written"):
        theirs, ours = _told(VENDORS, THEIRS, how), _told(sys.executable, OURS, how)
        for number, block in enumerate(BLOCKS):
            if block.needs == "connexion":
                continue
            failed = EXPECTED_FAILURES.get(block.about, "") if how == "as-written" else ""
            if failed is None:
                # The package has let it pass since prometheus_client 0.22, against its own word.
                assert "invalid label" in ours[number]
                continue
            assert ours[number][0] == theirs[number][0], block.about
            assert (failed in map(str, theirs[number][0])) == bool(failed)
            if "multiprocess" not in sources()[number] + block.before:
                assert _but_for_time(ours[number][1]) == _but_for_time(theirs[number][1])


def _told(python, module, how):
    done = subprocess.run(
        [python, "-m", "tests.compat.prometheus_flask_exporter.readme", module, how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "src")))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def _but_for_time(shown):
    return OF_TIME.sub(r"\1 T", str(shown)).splitlines()
