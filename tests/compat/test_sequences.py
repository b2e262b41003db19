"""Whatever is asked, the packages themselves and ours show the same, but for values of time."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compat.asgi_apps import FAST, STAR
from tests.compat.beside import ROOT, timeless
from tests.components import VENDORS

pytestmark = [pytest.mark.e2e, pytest.mark.needs("vendors")]

KNOWN = sorted({each.rpartition(" ")[2] for each in (*FAST, *STAR)})
PATHS = st.sampled_from(
    ["/asked/1", "/asked/2", "/named", "/inside/a/1", "/inside/a/x", "/raw", "/raw/any", *KNOWN]
    + ["/", "//", "/asked/", "/asked/1/", "/ä b", "/a%2Fb", "/metrics/", "/u/a?b", "/sub", "/sub/"]
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([200, 201, 204, 206, 301, 304, 400, 404, 418, 499, 500, 503]),
        "chunks": st.lists(st.sampled_from(["", "a", "bcd" * 9]), min_size=1, max_size=3),
        "length": st.booleans(),
        "fails": st.integers(0, 4),
    },
)


@st.composite
def requests(draw):
    body = draw(st.lists(st.sampled_from(["", "a", '{"a": 1}']), max_size=2))
    headers = {"x-answer": json.dumps(draw(ANSWERS))}
    if draw(st.booleans()):
        headers["content-length"] = str(sum(map(len, body)))
    if draw(st.booleans()):
        headers["content-type"] = "application/json"
    return {
        "method": draw(st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "DELETE", "PURGE"])),
        "path": draw(PATHS),
        "headers": headers,
        "body": body,
        "gone": draw(st.booleans()),
        "root_path": draw(st.sampled_from(["", "", "/asked", "/api/"])),
    }


APPS = st.sampled_from(["fast", "star"])
SEQUENCES = st.lists(requests(), max_size=8)


def options(*switches, **others):
    """Options of which each may be left out."""
    return st.fixed_dictionaries({}, optional={**dict.fromkeys(switches, st.booleans()), **others})


OPTIONS = {
    "prometheus_fastapi_instrumentator": options(
        "should_group_status_codes",
        "should_ignore_untemplated",
        "should_group_untemplated",
        "should_instrument_requests_inprogress",
        "should_exclude_streaming_duration",
        "should_include_root_path",
        "inprogress_labels",
        body_handlers=st.sampled_from([[], ["asked|items"]]),
        excluded_handlers=st.sampled_from([[], ["/r/", "nowhere"]]),
    ),
    "starlette_exporter": options(
        "group_paths",
        "filter_unhandled_paths",
        "group_unhandled_paths",
        "always_use_int_status",
        labels=st.sampled_from([{}, {"team": "a"}]),
        skip_methods=st.sampled_from([[], ["OPTIONS", "PURGE"]]),
        skip_paths=st.sampled_from([["/metrics"], ["/(asked|metrics).*"]]),
        optional_metrics=st.sampled_from([[], ["response_body_size", "request_body_size"]]),
    ),
}


PRESETS = {
    "prometheus_fastapi_instrumentator": "fastapi-instrumentator",
    "starlette_exporter": "starlette",
}


class Side:
    """A process with a package, or with ours."""

    def __init__(self, python, *module):
        variables = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "src")))}
        self._process = subprocess.Popen(
            [python, "-m", "tests.compat.sequences", *module],
            env={**os.environ, **variables},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._hear() == "ready"

    def shows(self, *asked):
        """Status, content type and lines after a sequence of requests."""
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        status, kind, text = self._hear()
        # The packages show any method that a client makes up.
        text = text.replace('method="PURGE"', 'method="_OTHER"')
        # Sums of bytes are no values of time.
        sizes = [line for line in text.splitlines() if "_bytes_sum" in line]
        return status, kind, sizes, timeless(text)

    def _hear(self):
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@pytest.fixture(scope="module", params=OPTIONS)
def sides(request):
    """The name of a package, and processes with it, its front here, and the metrics of its names."""
    name = request.param
    made = [
        Side(str(VENDORS), name),
        Side(sys.executable, f"otel_apimetrics.compat.{name}"),
        Side(sys.executable, "otel_apimetrics.prometheus", PRESETS[name]),
    ]
    yield name, *made
    for side in made:
        side.close()


def test_what_is_shown_is_the_same_whatever_is_asked(sides):
    name, theirs, ours, _ = sides

    @settings(max_examples=60)
    @given(APPS, OPTIONS[name], SEQUENCES)
    def same(app, chosen, asked):
        assert ours.shows(app, chosen, asked) == theirs.shows(app, chosen, asked)

    same()


def test_the_default_metrics_of_its_names_show_the_same(sides):
    _, theirs, _, ours = sides

    @settings(max_examples=30)
    @given(APPS, SEQUENCES)
    def same(app, asked):
        # The endpoint is another.
        assert ours.shows(app, {}, asked)[2:] == theirs.shows(app, {}, asked)[2:]

    same()
