"""What `import otel_apimetrics` costs: no framework, no SDK, no exporter, no HTTP client."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "aiohttp",
    "asgiref",
    "brotli",
    "django",
    "fastapi",
    "flask",
    "grpc",
    "httpx",
    "litestar",
    "opentelemetry.exporter",
    "opentelemetry.sdk",
    "pydantic",
    "requests",
    "sqlite3",
    "starlette",
    "urllib3",
    "werkzeug",
    "yaml",
}


def loaded_by(code: str) -> set[str]:
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {name for name in HEAVY if name in modules}


def test_the_package_itself_loads_nothing_but_its_version():
    modules = loaded_by("import otel_apimetrics")
    assert heavy(modules) == set()
    assert {name for name in modules if name.startswith("otel_apimetrics")} == {
        "otel_apimetrics",
        "otel_apimetrics.version",
    }


def test_the_words_for_an_app_load_no_framework_and_no_client():
    modules = loaded_by("from otel_apimetrics import set_consumer, Consumer, ConfigError")
    assert heavy(modules) - {"opentelemetry.sdk"} == set()


@pytest.mark.parametrize(
    "code",
    [
        "from otel_apimetrics import ApiMetricsInstrumentor",
        "from otel_apimetrics import ApiMetricsInstrumentor as A; A().instrument()",
        "from otel_apimetrics import ApiMetricsWSGIMiddleware as W; W(lambda environ, start: [])",
        "from otel_apimetrics.autoload import pre_instrument; pre_instrument()",
    ],
)
def test_instrumenting_loads_no_framework_and_no_client(code):
    assert heavy(loaded_by(code)) - {"opentelemetry.sdk"} == set()
