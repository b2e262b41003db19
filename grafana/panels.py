"""Panels of four kinds: lines over time, one number, a table, and a heat map of durations."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from grafana_foundation_sdk.builders import common, heatmap, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import heatmap as heat_models
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.variables import SOURCE

AnyPanel: TypeAlias = timeseries.Panel | stat.Panel | table.Panel | heatmap.Panel

SECONDS = "s"
SHARE = "percentunit"
PER_SECOND = "reqps"
EVENTS_PER_SECOND = "cps"
BYTES = "bytes"
BYTES_PER_SECOND = "Bps"
COUNT = "short"

FULL = 24
"""Columns of a dashboard."""
HALF = 12
_HEIGHT = 8
_LOW = 4


class Line(NamedTuple):
    """A query, and what its series are called."""

    query: str
    legend: str
    has_exemplars: bool = False
    """Show single requests, with their traces, beside the line."""


class Column(NamedTuple):
    """A query, and its column in a table."""

    query: str
    title: str
    unit: str = COUNT


class Text(NamedTuple):
    """What a panel says about itself."""

    title: str
    description: str


def lines(
    text: Text, unit: str, *queries: Line, stacked: bool = False, width: int = HALF
) -> timeseries.Panel:
    """Make lines over time."""
    panel = (
        timeseries.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .height(_HEIGHT)
        .span(width)
        .fill_opacity(20 if stacked else 5)
        .show_points(looks.VisibilityMode.AUTO)
        .stacking(common.StackingConfig().mode(_stacking(stacked=stacked)))
        .legend(
            common.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.TABLE)
            .placement(looks.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs(["mean", "max", "lastNotNull"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(looks.TooltipDisplayMode.MULTI)
            .sort(looks.SortOrder.DESCENDING)
        )
    )
    for letter, line in zip("ABCDEFGH", queries, strict=False):
        query = Dataquery().expr(line.query).range().legend_format(line.legend)
        if line.has_exemplars:
            query.exemplar(exemplar=True)
        panel.with_target(query.ref_id(letter).datasource(SOURCE))
    return panel


def number(text: Text, unit: str, query: str, *, width: int = 4) -> stat.Panel:
    """Make one number: what a query over the time shown gives at its end."""
    asked = Dataquery().expr(query).instant().ref_id("A").datasource(SOURCE)
    return (
        stat.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .unit(unit)
        .height(_LOW)
        .span(width)
        .graph_mode(looks.BigValueGraphMode.NONE)
        .color_mode(looks.BigValueColorMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(asked)
    )


def rows(
    text: Text,
    labels: Mapping[str, str],
    *columns: Column,
    links: Mapping[str, str] | None = None,
    width: int = FULL,
) -> table.Panel:
    """Make a table, the largest of its first column first.

    Args:
        text: about it.
        labels: which come first, and how their columns are called.
        columns: queries that keep these labels.
        links: addresses by column.
        width: of `FULL`.
    """
    panel = (
        table.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .height(_HEIGHT + 2)
        .span(width)
        .sort_by([common.TableSortByFieldState().display_name(columns[0].title).desc(desc=True)])
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(_organized(labels, columns))
    )
    for letter, column in zip("ABCDEFGH", columns, strict=False):
        query = Dataquery().expr(column.query).instant().format(PromQueryFormat.TABLE)
        panel.with_target(query.ref_id(letter).datasource(SOURCE))
        panel.override_by_name(column.title, [DynamicConfigValue("unit", column.unit)])
    for title, address in (links or {}).items():
        link = [{"title": "Look closer", "url": address}]
        panel.override_by_name(title, [DynamicConfigValue("links", link)])
    return panel


def heat(text: Text, buckets: str, *, width: int = FULL) -> heatmap.Panel:
    """Make a heat map of durations from a query of buckets by `le`."""
    query = Dataquery().expr(buckets).range().format(PromQueryFormat.HEATMAP)
    return (
        heatmap.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .height(_HEIGHT)
        .span(width)
        .calculate(calculate=False)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heat_models.HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .steps(64)
        )
        .y_axis(heatmap.YAxisConfig().unit(SECONDS))
        .with_target(query.legend_format("{{le}}").ref_id("A").datasource(SOURCE))
    )


def _stacking(*, stacked: bool) -> looks.StackingMode:
    return looks.StackingMode.NORMAL if stacked else looks.StackingMode.NONE


def _organized(labels: Mapping[str, str], columns: Sequence[Column]) -> DataTransformerConfig:
    # With one query the column of its values has no letter.
    values = [f"Value #{letter}" for letter in "ABCDEFGH"[: len(columns)]]
    if len(columns) == 1:
        values = ["Value"]
    titles = [column.title for column in columns]
    return DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": {"Time": True},
            "indexByName": {name: place for place, name in enumerate((*labels, *values))},
            "renameByName": {**labels, **dict(zip(values, titles, strict=True))},
        },
    )
