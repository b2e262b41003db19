"""The dashboards as files: made by the generator, and as a reader wants them."""

import itertools
import re
from pathlib import Path

import pytest

from tests.grafana import asking

ROOT = Path(__file__).parents[2] / "grafana"
UNITS = {"s", "percentunit", "reqps", "cps", "bytes", "Bps", "short"}
MODERN = {"timeseries", "stat", "table", "heatmap"}


@pytest.fixture(params=asking.NAMES)
def dashboard(request):
    return asking.load(request.param)


def expressions(dashboard):
    return [target["expr"] for panel in asking.panels(dashboard) for target in panel["targets"]]


@pytest.mark.needs("grafana-foundation-sdk")
def test_the_files_are_what_the_generator_writes():
    from grafana import files

    there = {
        str(path.relative_to(ROOT)): path.read_text()
        for path in (*ROOT.glob("dashboards/*"), *ROOT.glob("rules/*.yaml"))
    }
    assert there == files.made(), "run python -m grafana"


@pytest.mark.needs("grafana-foundation-sdk")
def test_the_command_writes_them(tmp_path, monkeypatch):
    from grafana import __main__ as command

    monkeypatch.setattr(command, "__file__", str(tmp_path / "__main__.py"))
    command.main()
    written = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert written == sorted(
        [*(f"{name}.json" for name in asking.NAMES), "alerts.yaml", "recording.yaml"]
    )


def test_there_is_a_dashboard_of_each_kind():
    assert sorted(path.stem for path in asking.DASHBOARDS.iterdir()) == list(asking.NAMES)


def test_no_panel_is_of_a_kind_that_grafana_has_given_up(dashboard):
    kinds = [panel["type"] for panel in asking.panels(dashboard)]
    assert set(kinds) <= MODERN
    assert "timeseries" in kinds


def test_every_panel_says_what_it_shows_in_which_unit(dashboard):
    for panel in asking.panels(dashboard):
        assert panel["title"]
        assert panel["description"].endswith(".")
        settings = panel["fieldConfig"] if panel["type"] != "heatmap" else None
        units = {panel["options"]["yAxis"]["unit"]} if settings is None else _units(settings)
        assert units
        assert units <= UNITS


def test_every_query_asks_the_chosen_prometheus_with_the_chosen_values(dashboard):
    chosen = {variable["name"] for variable in asking.variables(dashboard)}
    for panel in asking.panels(dashboard):
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            used = set(re.findall(r'=~"\$(\w+)"', target["expr"]))
            assert used == ({"job"} if "ALERTS" in target["expr"] else chosen)


def test_every_quantile_is_over_the_sum_of_buckets(dashboard):
    for expression in expressions(dashboard):
        calls = expression.count("histogram_quantile(")
        assert calls == len(re.findall(r"histogram_quantile\(0\.\d+, sum by \(le[,)]", expression))


def test_panels_have_numbers_of_their_own_and_do_not_overlap(dashboard):
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert sorted(set(numbers)) == sorted(numbers)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [
        set(itertools.product(range(p["x"], p["x"] + p["w"]), range(p["y"], p["y"] + p["h"])))
        for p in places
    ]
    assert sum(map(len, cells)) == len(set().union(*cells))


def test_dashboards_lead_to_each_other_with_time_and_choices(dashboard):
    (link,) = dashboard["links"]
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
    assert set(link["tags"]) <= set(dashboard["tags"])


def test_what_a_table_links_to_is_there(dashboard):
    known = {made["uid"]: made for made in map(asking.load, asking.NAMES)}
    text = str(dashboard)
    for uid, variable in re.findall(r"/d/([\w-]+)\?var-(\w+)=", text):
        assert variable in {one["name"] for one in asking.variables(known[uid])}


def test_the_page_names_every_metric_that_is_asked_for(dashboard):
    page = (ROOT / "README.md").read_text()
    for expression in expressions(dashboard):
        for metric in re.findall(r"[a-zA-Z_]+(?=\{)", expression):
            name = re.sub(r"_(bucket|sum|count)$", "", metric)
            assert f"`{name}`" in page, name


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_of_the_generator_is_small(path):
    assert len(path.read_text().splitlines()) <= 300


def _units(settings):
    default = settings.get("defaults", {}).get("unit")
    columns = {
        one["value"]
        for override in settings.get("overrides", [])
        for one in override["properties"]
        if one["id"] == "unit"
    }
    return columns | ({default} if default else set())
