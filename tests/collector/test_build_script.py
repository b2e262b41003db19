"""build.sh, with a stand-in for Go: the real build takes minutes and is what e2e tests use."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.collector_process import CONFIG

SYSTEM_PATH = "/usr/bin:/bin"

GO = """#!/bin/sh
case "$*" in
"env GOVERSION") echo "$FAKE_GO_VERSION" ;;
version) echo "go version $FAKE_GO_VERSION linux/amd64" ;;
install*) cp "$FAKE_BUILDER" "$GOBIN/builder" 2>/dev/null || {
    mkdir -p "$GOBIN" && cp "$FAKE_BUILDER" "$GOBIN/builder"; } ;;
build*)
    echo built >>"$FAKE_LOG"
    sleep 0.2
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho the collector\\n' >"$2" && chmod +x "$2" ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""

BUILDER = """#!/bin/sh
mkdir -p _build
for file in $FAKE_SOURCES; do echo x >"_build/$file"; done
echo "go mod tidy failed" >&2
exit 1
"""


@pytest.fixture
def build(tmp_path):
    """Run build.sh with an empty cache and a stand-in for Go."""
    (tmp_path / "bin").mkdir()
    for name, text in (("bin/go", GO), ("builder", BUILDER)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def command(*arguments, **environment):
        script = environment.pop("script", CONFIG / "build.sh")
        return {
            "args": [script, *arguments],
            "env": {
                "PATH": f"{tmp_path / 'bin'}:{SYSTEM_PATH}",
                "HOME": str(tmp_path / "home"),
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "FAKE_BUILDER": str(tmp_path / "builder"),
                "FAKE_GO_VERSION": "go1.26.8",
                "FAKE_LOG": str(tmp_path / "log"),
                "FAKE_SOURCES": "go.mod main.go components.go",
                **environment,
            },
            "text": True,
        }

    def run(*arguments, **environment):
        return subprocess.run(
            **command(*arguments, **environment), capture_output=True, check=False
        )

    run.command = command
    run.root = tmp_path
    return run


def test_the_first_call_builds_and_the_second_prints_the_same_path(build):
    first = build()
    assert first.returncode == 0, first.stderr
    path = Path(first.stdout.removesuffix("\n"))
    assert path.is_relative_to(build.root / "cache/otel-apimetrics/collector")
    assert subprocess.check_output([path], text=True) == "the collector\n"
    assert "3/3 compiling" in first.stderr
    second = build()
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    assert (build.root / "log").read_text() == "built\n"


def test_the_cache_is_in_the_home_directory_by_default(build):
    run = build(XDG_CACHE_HOME="")
    assert run.stdout.startswith(f"{build.root}/home/.cache/otel-apimetrics/collector/")


def test_nothing_is_left_beside_the_binary(build):
    path = Path(build().stdout.strip())
    assert {file.name for file in path.parent.iterdir()} <= {"otelcol", "lock"}


def test_print_path_never_builds(build):
    before = build("--print-path")
    assert before.returncode == 1
    assert "not built yet" in before.stderr
    built = build()
    after = build("--print-path")
    assert (after.returncode, after.stdout) == (0, built.stdout)
    assert before.stdout == built.stdout


@pytest.mark.skipif(shutil.which("flock") is None, reason="without flock both build")
def test_calls_at_the_same_time_build_once(build):
    calls = [
        subprocess.Popen(**build.command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    paths = {call.communicate()[0] for call in calls}
    assert [call.returncode for call in calls] == [0] * 4
    assert len(paths) == 1
    assert (build.root / "log").read_text() == "built\n"


def test_another_go_or_another_manifest_gives_another_path(build, tmp_path):
    paths = {build("--print-path").stdout, build("--print-path", FAKE_GO_VERSION="go1.27.0").stdout}
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(CONFIG / "build.sh", copy)
    (copy / "manifest.yaml").write_text("dist: {}\n")
    paths.add(build("--print-path", script=copy / "build.sh").stdout)
    assert len(paths) == 3


@pytest.mark.skipif(
    any(os.access(f"{folder}/go", os.X_OK) for folder in SYSTEM_PATH.split(":")),
    reason="Go is in a system directory",
)
def test_a_missing_go_is_told_with_its_remedy(build):
    run = build(PATH=SYSTEM_PATH)
    assert (run.returncode, run.stdout) == (3, "")
    assert "Go is missing. Install Go 1.25 or newer" in run.stderr


@pytest.mark.parametrize(
    ("version", "status"),
    [("go1.9", 3), ("go1.24.9", 3), ("go1.25", 0), ("go1.25.0", 0), ("go2.0", 0), ("devel +a", 0)],
)
def test_an_old_go_is_refused(build, version, status):
    run = build(FAKE_GO_VERSION=version)
    assert run.returncode == status, run.stderr
    assert ("too old" in run.stderr) == (status == 3)


def test_a_builder_that_writes_no_sources_is_a_failure_with_its_output(build):
    run = build(FAKE_SOURCES="go.mod")
    assert (run.returncode, run.stdout) == (1, "")
    assert "the builder wrote no main.go" in run.stderr
    assert "go mod tidy failed" in run.stderr
    assert build("--print-path").returncode == 1


def test_unknown_arguments_are_refused(build):
    run = build("--prnt-path")
    assert run.returncode == 2
    assert "Usage: build.sh [--print-path]" in run.stderr


def test_help_goes_to_stdout(build):
    run = build("--help")
    assert run.returncode == 0
    assert run.stdout.startswith("Build the OpenTelemetry Collector")
    assert "#" not in run.stdout
