"""The shape of the code: small modules, honest names, documented public names."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import otel_apimetrics

ROOT = Path(otel_apimetrics.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
PUBLIC = {
    "ApiMetricsASGIMiddleware",
    "ApiMetricsInstrumentor",
    "ApiMetricsWSGIMiddleware",
    "Company",
    "Config",
    "ConfigError",
    "Consumer",
    "Exchange",
    "RedactingSpanProcessor",
    "RedactionPolicy",
    "__version__",
    "add_label",
    "add_metadata",
    "set_consumer",
    "skip_request",
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small_well_named_and_documented(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert path.stem not in {"utils", "common", "helpers", "misc", "tools"}
    if text:
        assert ast.get_docstring(ast.parse(text)), "the module says what it is for"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_name_is_documented(path):
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            assert ast.get_docstring(node), f"{path.name}: {node.name}"
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(
                    inner, ast.FunctionDef | ast.AsyncFunctionDef
                ) and not inner.name.startswith("_"):
                    assert ast.get_docstring(inner), f"{path.name}: {node.name}.{inner.name}"


def test_the_public_names_are_these():
    assert set(otel_apimetrics.__all__) == PUBLIC
    assert set(dir(otel_apimetrics)) == PUBLIC
    assert sorted(otel_apimetrics.__all__) == otel_apimetrics.__all__


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_a_public_name_is_there_and_documented_beyond_its_signature(name):
    value = getattr(otel_apimetrics, name)
    assert value is getattr(importlib.import_module("otel_apimetrics"), name)
    assert inspect.getdoc(value)
    assert not inspect.getdoc(value).startswith(f"{name}(")


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = otel_apimetrics.nothing


def test_every_name_of_the_conventions_is_spelled_in_one_place():
    names = {"http.request.method", "http.route", "apimetrics.consumer.id", "apimetrics.requests"}
    for path in MODULES:
        if path.name != "semconv.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert node.value not in names, f"{path}:{node.lineno}"
