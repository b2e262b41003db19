"""From rows of panels to a dashboard with its variables and links."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.models import dashboard as models

from grafana import variables
from grafana.panels import AnyPanel
from grafana.variables import Variable

TAG = "otel-apimetrics"
_PREFIX = "apimetrics-"


def uid(name: str) -> str:
    """Give the part of a dashboard's address that names it."""
    return _PREFIX + name


@dataclass(frozen=True)
class Board:
    """What one dashboard shows."""

    name: str
    """Of its file."""
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[tuple[str, tuple[AnyPanel, ...]], ...]
    """Titles and panels."""


def dashboard(board: Board) -> models.Dashboard:
    """Build a dashboard."""
    built = (
        Dashboard(f"API: {board.title}")
        .uid(uid(board.name))
        .description(board.description)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .annotations([])
        .link(_others())
        .with_variable(variables.source())
    )
    for number, variable in enumerate(board.variables):
        built.with_variable(variables.query(variable, board.variables[:number]))
    for title, panels in board.rows:
        built.with_row(Row(title))
        for panel in panels:
            built.with_panel(panel)
    return _numbered(built.build())


def _others() -> DashboardLink:
    return (
        DashboardLink("API dashboards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def _numbered(built: models.Dashboard) -> models.Dashboard:
    """Give each panel the number that Grafana would give it, always the same one."""
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return built
