"""Puts a point of failure before every statement that the plugin guards.

The sources are read, not changed: they are compiled with one call more before each statement
of each `try` whose handler swallows an error of ours. Nothing of the plugin is replaced, and a
new guarded place is found without anybody listing it.
"""

import ast
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

PACKAGE = "otel_apimetrics"
POINT = "__point_of_failure__"


@dataclass(frozen=True)
class Point:
    """A statement inside a guarded block."""

    module: str
    """Without the package's name: "frameworks.wsgi"."""
    line: int
    place: str
    """What `_guard.swallow` is told; "" where it is made up while it runs."""
    reveals: bool
    """The message is logged, because it quotes no request."""

    @property
    def id(self) -> str:
        return f"{self.module}:{self.line} {self.place}"


class Weaver(ast.NodeTransformer):
    """Adds the points to a module's tree, and collects them."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.points: list[Point] = []

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        for handler in node.handlers:
            call = swallowing(handler)
            if call is not None:
                node.body = list(self._with_points(node.body, call))
                break
        return node

    def _with_points(self, body: list[ast.stmt], call: ast.Call) -> Iterator[ast.stmt]:
        place = call.args[0]
        for statement in body:
            point = Point(
                self.module,
                statement.lineno,
                place.value if isinstance(place, ast.Constant) else "",
                any(word.arg == "reveal" for word in call.keywords),
            )
            self.points.append(point)
            yield ast.copy_location(ast.parse(f"{POINT}({point.id!r})").body[0], statement)
            yield statement


def swallowing(handler: ast.ExceptHandler) -> ast.Call | None:
    """The call of `swallow` among a handler's statements."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name == "swallow":
                return node
    return None


def woven(path: Path, module: str) -> tuple[CodeType, list[Point]]:
    """A module's code with its points."""
    weaver = Weaver(module)
    tree = ast.fix_missing_locations(weaver.visit(ast.parse(path.read_text())))
    return compile(tree, str(path), "exec", dont_inherit=True), weaver.points


def all_points() -> list[Point]:
    """The points of all modules, imported or not."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    found: list[Point] = []
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        found += woven(path, name)[1]
    return found


class Faults:
    """Which point fails, and which were passed. Is called at each point."""

    def __init__(self) -> None:
        self.failing: str | None = None
        self.message = ""
        self.passed: set[str] = set()
        self.raised = 0

    def __call__(self, point: str) -> None:
        self.passed.add(point)
        if point == self.failing:
            self.raised += 1
            raise ArithmeticError(self.message)


class _Loader(SourceFileLoader):
    faults: Faults

    def get_code(self, fullname: str) -> CodeType:
        name = fullname.removeprefix(PACKAGE).removeprefix(".")
        return woven(Path(self.path), name)[0]

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, POINT, self.faults)
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None and spec.origin is not None:
                loader = _Loader(fullname, spec.origin)
                loader.faults = self._faults
                spec.loader = loader
                return spec
        return None


def weave() -> Faults:
    """Have every import of the package be woven from now on; none may have been imported."""
    assert PACKAGE not in sys.modules
    faults = Faults()
    sys.meta_path.insert(0, _Finder(faults))
    return faults
