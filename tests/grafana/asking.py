"""What Grafana makes of a dashboard's queries before it sends them to Prometheus."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.grafana.prometheus_server import SCRAPE_SECONDS, Prometheus

DASHBOARDS = Path(__file__).parents[2] / "grafana" / "dashboards"
NAMES = ("consumers", "endpoints", "errors", "overview", "process", "uptime")

Chosen = Mapping[str, str]
"""Expressions by the names of variables."""

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


def load(name: str) -> dict[str, Any]:
    return json.loads((DASHBOARDS / f"{name}.json").read_text())


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variables(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in dashboard["templating"]["list"] if one["type"] == "query"]


def options(server: Prometheus, variable: dict[str, Any], chosen: Chosen) -> list[str]:
    """Give the values that a variable offers."""
    match = _LABEL_VALUES.fullmatch(variable["query"])
    assert match is not None, variable["query"]
    series, label = match.groups()
    return server.ask(
        f"label/{label}/values",
        **{"match[]": fill(server, series, chosen), "start": server.began, "end": time.time()},
    )


def all_chosen(server: Prometheus, dashboard: dict[str, Any]) -> dict[str, str]:
    """Choose "All" of every variable."""
    chosen: dict[str, str] = {}
    for variable in variables(dashboard):
        offered = options(server, variable, chosen)
        chosen[variable["name"]] = variable.get("allValue") or one_of(offered)
    return chosen


def one_of(values: list[str]) -> str:
    """Write the expression that several chosen values are."""
    # In a PromQL string a backslash is two.
    escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def fill(server: Prometheus, query: str, chosen: Chosen) -> str:
    """Put values in the place of variables; one that nobody knows fails."""
    known = {
        **chosen,
        "__rate_interval": f"{4 * SCRAPE_SECONDS}s",
        "__interval": f"{SCRAPE_SECONDS}s",
        "__range": f"{int(time.time() - server.began)}s",
    }
    return _VARIABLE.sub(lambda match: known[match[1] or match[2]], query)


def ask(server: Prometheus, target: dict[str, Any], chosen: Chosen) -> list[dict[str, Any]]:
    """Give the series that one query of a panel answers with."""
    query = fill(server, target["expr"], chosen)
    return server.instant(query) if target["instant"] else server.over_time(query)


def exemplars(server: Prometheus, target: dict[str, Any], chosen: Chosen) -> list[dict[str, Any]]:
    """Give the single requests behind a query."""
    asked = {"query": fill(server, target["expr"], chosen), "start": server.began}
    series = server.ask("query_exemplars", end=time.time(), **asked)
    return [exemplar for one in series for exemplar in one["exemplars"]]


def has_something_to_show(series: list[dict[str, Any]]) -> bool:
    """Tell whether some value is a number other than 0."""
    values = [float(value) for one in series for _, value in one["values"]]
    return any(value == value and value != 0 for value in values)
