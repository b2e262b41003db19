"""How each vendor's exporter is made, and what is meant to differ from its SDK."""

from importlib import import_module
from typing import Any

FRAMEWORKS = {
    "apitally": ("flask", "fastapi"),
    "moesif": ("flask", "fastapi"),
    "metlo": ("flask",),
    "readme": ("flask", "fastapi"),
}
"""The frameworks that a vendor's SDK is compared in."""


def vendor(name: str) -> Any:
    """Give the module of a vendor: `exporter`, `prepare`, `events`, `OPTIONS`, `DIFFERENCES`, ..."""
    return import_module(f"tests.parity.vendors.{name}")
