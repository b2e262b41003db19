"""Nothing that is secret leaves the process, whatever its kind and wherever it stands.

Secrets of all kinds of the corpus travel in every place of requests and answers that carries
text, through real servers under `opentelemetry-instrument` and a Collector that masks nothing,
so that what holds is the lock in the process. Beside each of them stands an ordinary word,
which must come out: a test of what was not recorded would pass.
"""

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.collector_process import CONFIG
from tests.e2e.canaries import plan, search
from tests.e2e.canaries.fill import Canary, Step
from tests.e2e.canaries.harvest import Harvest, harvest, summary, without_locks
from tests.e2e.canaries.serving import only_ours
from tests.redaction.corpus import kinds, ordinary

pytestmark = pytest.mark.e2e

_ALL_HEADERS: Final = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": ".*",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": ".*",
}
"""Contrib's own capture beside ours, in its old and its new conventions."""
_ALONE: Final = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": only_ours()}
_JSON: Final = [
    payload
    for payload in ordinary()
    if payload.part == "body" and payload.media_type.endswith("json")
]
_RUNS: Final[dict[str, dict[str, Any]]] = {
    # One half of the kinds in each: they are told apart behind the servers.
    "flask": {"server": "flask", "kinds": kinds()[::2], "payloads": _JSON, **_ALL_HEADERS},
    "fastapi": {"server": "fastapi", "kinds": kinds()[1::2], "payloads": _JSON},
    "flask alone": {"server": "flask", "kinds": kinds()[::6], **_ALONE},
    "fastapi alone": {"server": "fastapi", "kinds": kinds()[3::6], **_ALONE},
    "flask, our Collector": {"server": "flask", "kinds": kinds()[1::16]},
    "fastapi, our Collector": {"server": "fastapi", "kinds": kinds()[5::16]},
}
_BESIDE_CONTRIB: Final = ("flask", "fastapi")
_SAMPLES: Final = tuple(name for name in _RUNS if name not in _BESIDE_CONTRIB)
_CARRIED: Final = [
    (run, carrier)
    for run in _BESIDE_CONTRIB
    for carrier in plan.CARRIERS
    if run == "fastapi" or carrier not in plan.OF_FASTAPI
]
Gather = Callable[[str], Harvest]


@pytest.fixture(scope="session")
def gather(tmp_path_factory: pytest.TempPathFactory) -> Gather:
    """Run a server once, whichever test asks first."""
    known: dict[str, Harvest] = {}

    def run(name: str) -> Harvest:
        if name not in known:
            directory = tmp_path_factory.mktemp("canaries")
            ours = "our Collector" in name
            config = CONFIG / "collector.yaml" if ours else without_locks(directory)
            known[name] = harvest(directory=directory, config=config, **_RUNS[name])
            shutil.rmtree(directory)  # 100 MB
        return known[name]

    return run


def test_the_kinds_are_200_and_more_and_each_is_carried_in_places_that_a_test_is_about():
    assert len({kind.name for kind in kinds()}) >= 200
    steps = list(plan.steps(kinds(), validates=True))
    assert {step.kind for step in steps} == {kind.name for kind in kinds()}
    carriers = {canary.carrier for step in steps for canary in step.canaries}
    assert carriers == set(plan.CARRIERS)
    assert len({step.trace for step in steps}) == len(steps)


@pytest.mark.parametrize("run", _RUNS)
def test_every_request_is_answered_as_planned_and_leaves_a_trace(run: str, gather: Gather):
    found = gather(run)
    assert not found.refused, summary(found.refused)
    traceless = [step.kind for step in found.steps if step.trace not in found.by_trace]
    assert not traceless, summary(traceless)


@pytest.mark.parametrize(("run", "carrier"), _CARRIED)
def test_no_secret_comes_out_of(run: str, carrier: str, gather: Gather):
    leaks = [leak for leak in gather(run).leaks if leak.canary.carrier == carrier]
    assert not leaks, summary(leaks)


@pytest.mark.parametrize(("run", "carrier"), _CARRIED)
def test_the_ordinary_word_beside_each_secret_comes_out_of(run: str, carrier: str, gather: Gather):
    found = gather(run)
    assert any(canary.carrier == carrier for step in found.steps for canary in step.canaries)
    assert any(row[0] == carrier for step in found.steps for row in step.words)
    unseen = [kind for missed, kind in found.unseen if missed == carrier]
    assert not unseen, summary(unseen)


@pytest.mark.parametrize("run", _SAMPLES)
def test_no_secret_of_a_sample_comes_out(run: str, gather: Gather):
    leaks = [f"{leak.canary.carrier}: {leak}" for leak in gather(run).leaks]
    assert not leaks, summary(leaks)


@pytest.mark.parametrize("run", _SAMPLES)
def test_the_ordinary_words_of_a_sample_come_out(run: str, gather: Gather):
    # Our Collector takes whole cookies out.
    own = {"cookie", "Set-Cookie"} if "our Collector" in run else set()
    unseen = [row for row in gather(run).unseen if row[0] not in own]
    assert not unseen, summary(unseen)


@pytest.mark.parametrize("run", _RUNS)
def test_no_secret_is_in_metrics_logs_or_output(run: str, gather: Gather):
    # Contrib's own metrics say the host (`net.host.name`), and no one but a View can change it.
    leaks = [
        f"{leak.canary.carrier}: {leak}"
        for leak in gather(run).leaks_elsewhere
        if leak.canary.carrier != "Host" or "alone" in run
    ]
    assert not leaks, summary(leaks)


@pytest.mark.parametrize("run", _RUNS)
def test_metrics_logs_and_output_are_there_to_be_searched(run: str, gather: Gather):
    found = gather(run)
    for page in ("file, resourceLogs", "stdout and stderr"):
        assert "Place: hooks.label. Error: ValueError" in found.pages[page]
        assert "Place: hooks.skip. Error: RuntimeError" in found.pages[page]
    words = [word for step in found.steps for row, word in step.words if row == "consumer"]
    assert words
    consumers = {
        text for step in found.steps for text in found.told(step, "apimetrics.consumer.id")
    }
    assert consumers
    for page in ("file, resourceMetrics", "Prometheus page"):
        assert consumers <= set(found.pages[page].splitlines())


@pytest.mark.parametrize("run", _BESIDE_CONTRIB)
def test_ordinary_json_arrives_byte_for_byte(run: str, gather: Gather):
    found = gather(run)
    assert len(found.echoed) >= 100
    changed = [
        f"{side} of {step.kind}: {told}"
        for step in found.echoed
        for side in ("request", "response")
        if (told := found.told(step, f"http.{side}.body.content")) != [step.body.decode()]
    ]
    assert not changed, summary(changed)


@pytest.mark.parametrize(
    "written",
    [
        str,
        lambda secret: quote(secret, safe=""),
        lambda secret: json.dumps({"payload": json.dumps({"note": secret})}),
        lambda secret: secret.encode("unicode_escape").decode(),
        lambda secret: b64encode(secret.encode()).decode(),
        lambda secret: f"cut off: {secret[:-3]}",
    ],
    ids=["plain", "percent", "JSON in JSON", "escaped", "Base64", "a piece"],
)
def test_the_search_finds_a_secret_however_it_is_written(written: Callable[[str], str]):
    secret = 'pa"ss\\wörd/with+signs&more\nlines 12345'
    canary = Canary("query", "a password", "password", secret)
    step = Step(trace="1" * 32, kind="a password", canaries=[canary])
    said = [("name", "GET /orders"), ("attributes url.query", f"page=2&q={written(secret)}")]
    assert [leak.where for leak in search.leaks(step, said)] == ["attributes url.query"]
    (leak,) = search.Everywhere([step]).leaks("a page", "\n".join(text for _, text in said))
    assert leak.canary is canary
    assert not list(search.leaks(step, said[:1]))


@pytest.mark.parametrize("said", ["pin=4711", '{"pin": 4711}', '{"pin":"4711"}', "at 4711!"])
def test_the_search_finds_a_short_secret(said: str):
    canary = Canary("query", "PIN", "pin", "4711")
    step = Step(trace="1" * 32, kind="PIN", canaries=[canary])
    assert [leak.canary for leak in search.leaks(step, [("name", said)])] == [canary]
    assert not list(search.leaks(step, [("name", said.replace("4711", "14711"))]))
