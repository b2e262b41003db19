"""Every query of every dashboard, asked of a real Prometheus that has scraped a real app."""

import pytest

from tests.grafana import asking

pytestmark = [pytest.mark.e2e, pytest.mark.needs("prometheus")]


def empty(server, name):
    """Give the queries of a dashboard that have nothing to show."""
    dashboard = asking.load(name)
    chosen = asking.all_chosen(server, dashboard)
    return {
        (panel["title"], target["expr"])
        for panel in asking.panels(dashboard)
        for target in panel["targets"]
        if not asking.has_something_to_show(asking.ask(server, target, chosen))
    }


@pytest.mark.parametrize("name", asking.NAMES)
def test_every_panel_has_something_to_show(watched, name):
    assert empty(watched, name) == set()


@pytest.mark.parametrize("name", ["consumers", "endpoints", "errors", "overview"])
def test_every_panel_about_requests_has_something_to_show_behind_a_collector(
    behind_a_collector, name
):
    assert empty(behind_a_collector, name) == set()


def test_behind_a_collector_the_service_is_a_job_of_its_own(behind_a_collector):
    chosen = asking.all_chosen(behind_a_collector, asking.load("overview"))
    assert chosen["job"] == "shop"


@pytest.mark.parametrize("name", ["consumers", "endpoints", "overview"])
def test_the_p95_has_exemplars_that_name_a_trace(watched, name):
    dashboard = asking.load(name)
    chosen = asking.all_chosen(watched, dashboard)
    targets = [
        target
        for panel in asking.panels(dashboard)
        for target in panel["targets"]
        if target.get("exemplar")
    ]
    assert targets
    for target in targets:
        found = asking.exemplars(watched, target, chosen)
        assert found
        assert all(len(one["labels"]["trace_id"]) == 32 for one in found)


@pytest.mark.parametrize("name", asking.NAMES)
def test_every_variable_offers_values_and_narrows_the_panels_to_them(watched, name):
    dashboard = asking.load(name)
    everything = asking.all_chosen(watched, dashboard)
    for variable in asking.variables(dashboard):
        label = variable["query"].rstrip(")").split(", ")[-1]
        values = asking.options(watched, variable, everything)
        assert values
        for value in values:
            chosen = {**everything, variable["name"]: asking.one_of([value])}
            found = [
                series["metric"]
                for panel in asking.panels(dashboard)
                for target in panel["targets"][:1]
                for series in asking.ask(watched, target, chosen)
            ]
            assert found, (variable["name"], value)
            assert {metric[label] for metric in found if label in metric} <= {value}


def test_all_of_several_values_is_one_expression(watched):
    dashboard = asking.load("endpoints")
    chosen = asking.all_chosen(watched, dashboard)
    routes = asking.one_of(["/orders", "/orders/{order_id}"])
    table = asking.panels(dashboard)[0]
    found = asking.ask(watched, table["targets"][0], {**chosen, "route": routes})
    assert {one["metric"]["http_route"] for one in found} == {"/orders", "/orders/{order_id}"}


def test_every_recording_rule_records(watched):
    groups = watched.ask("rules", type="record")["groups"]
    names = [rule["name"] for group in groups for rule in group["rules"]]
    assert names
    assert [
        name for name in names if not asking.has_something_to_show(watched.over_time(name))
    ] == []


def test_no_rule_fails_and_the_instance_that_was_ended_alerts_or_is_about_to(watched):
    groups = watched.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    states = {rule["name"]: rule["state"] for rule in rules if rule["type"] == "alerting"}
    assert states["ApiMetricsTargetDown"] in {"pending", "firing"}  # by how long it takes here
    assert states["ApiMetricsNoHeartbeat"] == "inactive"
