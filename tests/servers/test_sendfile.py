"""A file goes out by the kernel's `sendfile` with us as without."""

from pathlib import Path

import pytest

from tests.frameworks.cases import rows_for
from tests.frameworks.cases.apps import answers
from tests.frameworks.cases.client import talk
from tests.frameworks.cases.recorded import read
from tests.servers.commands import WSGI
from tests.servers.serving import environment, serving

pytestmark = [pytest.mark.e2e, pytest.mark.needs("strace")]

(FILE,) = [row for row in rows_for("wsgi", on="server") if row.name == "a-file"]
TEXT = answers.FILE.read_bytes()
SERVERS = (
    "gunicorn-sync",
    "gunicorn-gthread",
    pytest.param("uwsgi-threads", marks=pytest.mark.needs("uwsgi")),
)


@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("server", SERVERS)
def test_a_file_is_sent_by_the_kernel(server: str, tmp_path: Path, *, ours: bool):
    calls, records = tmp_path / "calls", tmp_path / "records"
    env = environment(CASES_FRAMEWORK="wsgi")
    if ours:
        env["CASES_RECORDS"] = str(records)
    # `-D`: the server stays our child, and ends by our signal.
    strace = ["strace", "-D", "-f", "--seccomp-bpf", "-e", "trace=sendfile", "-o", calls]
    with serving([*strace, *WSGI[server]], tmp_path / "log", env) as process:
        received = talk(process.address, FILE)
    assert received.endswith(TEXT)
    assert "sendfile(" in calls.read_text()
    if ours:
        (record,) = read(records)
        assert record.attributes["http.response.body.size"] == len(TEXT)
