"""Which suites are run, what of them, and what is known to differ and why."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A test suite that a source distribution carries.

    Args:
        name: as its project writes it.
        gate: what the gate runs of it, as arguments of its runner.
        whole: what the command runs.
        folder: where it is run, in the unpacked source distribution.
        runner: Django has its own.
        left_out: what is never run, as arguments of the runner, and why.
    """

    name: str
    gate: tuple[str, ...]
    whole: tuple[str, ...]
    folder: str = "."
    runner: Literal["pytest", "django"] = "pytest"
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def distribution(self) -> str:
        """Its name on the package index."""
        return self.name.lower()


_TESTS = ("tests",)
_DJANGO = (
    "asgi", "conditional_processing", "csrf_tests", "handlers", "middleware",
    "middleware_exceptions", "requests_tests", "wsgi",
)  # fmt: skip

SUITES = (
    Suite(name="Flask", gate=_TESTS, whole=_TESTS),
    # Most of its tests are there twice: on asyncio and on Trio.
    Suite(name="Starlette", gate=("tests", "-k=not trio"), whole=_TESTS),
    Suite(
        name="Werkzeug",
        gate=(
            "tests/middleware", "tests/test_debug.py", "tests/test_formparser.py",
            "tests/test_send_file.py", "tests/test_serving.py", "tests/test_test.py",
            "tests/test_wrappers.py", "tests/test_wsgi.py",
        ),
        whole=_TESTS,
        left_out={"-k=not reloader": "its servers outlive the test that started them"},
    ),
    Suite(
        name="Django",
        folder="tests",
        runner="django",
        gate=_DJANGO,
        whole=(
            *_DJANGO, "async", "builtin_server", "context_processors", "decorators",
            "file_uploads", "httpwrappers", "i18n", "logging_tests", "messages_tests",
            "responses", "servers", "sessions_tests", "signals", "staticfiles_tests",
            "test_client", "test_client_regress", "urlpatterns", "urlpatterns_reverse",
            "view_tests",
        ),
    ),
    Suite(
        name="FastAPI",
        gate=(
            "tests/test_application.py", "tests/test_custom_middleware_exception.py",
            "tests/test_custom_route_class.py", "tests/test_dependency_after_yield_raise.py",
            "tests/test_dependency_after_yield_streaming.py",
            "tests/test_dependency_after_yield_websockets.py",
            "tests/test_dependency_contextmanager.py", "tests/test_dependency_contextvars.py",
            "tests/test_exception_handlers.py", "tests/test_form_limits.py",
            "tests/test_multi_body_errors.py", "tests/test_request_body_limits.py",
            "tests/test_response_change_status_code.py", "tests/test_router_events.py",
            "tests/test_route_scope.py", "tests/test_security_http_basic_optional.py",
            "tests/test_security_websockets.py", "tests/test_sse.py",
            "tests/test_starlette_exception.py", "tests/test_stream_bare_type.py",
            "tests/test_stream_status_code.py", "tests/test_validation_error_context.py",
            "tests/test_ws_dependencies.py", "tests/test_ws_router.py",
        ),
        whole=_TESTS,
        left_out={
            "--ignore=tests/benchmarks": "they need another plugin of pytest",
            "--ignore=tests/memory_benchmarks": "they need another plugin of pytest",
            "--ignore=tests/test_telemetry": "about FastAPI's own telemetry, beside Logfire and"
            " others; tests/one_span has it beside us",
        },
    ),
)  # fmt: skip

DIFFERENCES: dict[tuple[str, str], str] = {}
"""Suite and test whose outcome is another with us, and why. One that no longer differs fails."""

_TEXT_CHUNKS = "the app yields text, which PEP 3333 forbids: its body is not copied"

SWALLOWED: dict[tuple[str, str, str], str] = {
    **{
        ("Werkzeug", f"tests/{test}", "wsgi.chunk"): _TEXT_CHUNKS
        for test in (
            "test_test.py::test_path_info_script_name_unquoting",
            "test_test.py::test_run_wsgi_app_closing_iterator",
            "test_test.py::test_run_wsgi_apps",
            "test_wrappers.py::test_type_forcing",
            "test_wsgi.py::test_closing_iterator",
        )
    },
}
"""Suite, test (without its parameters) and place of errors that we swallow there, and why.

An error that is not listed fails, and one that is listed but no longer happens.
"""
