"""The rules, by promtool: what they say is checked, and what they do is tried on series."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.needs("prometheus")

RULES = Path(__file__).parents[2] / "grafana" / "rules"
TESTS = sorted((RULES / "tests").glob("*.yaml"))
ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load((RULES / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
}

# What the first scenario of each alert's tests has people read.
SUMMARIES = {
    "ApiMetricsErrors": ("7m", "shop answers 10% of its requests with 5xx"),
    "ApiMetricsEndpointErrors": ("14m", "POST /orders of shop answers 100% with 5xx"),
    "ApiMetricsSlow": ("12m", "GET /reports/{name} of shop has a p95 of 1.75s"),
    "ApiMetricsTargetDown": ("9m", "one:80 of shop does not answer scrapes"),
    "ApiMetricsNoHeartbeat": ("17m", "No instance of shop is seen any more"),
    "ApiMetricsNoRequests": ("80m", "shop runs, and gets no requests any more"),
    "ApiMetricsExportsLost": ("17m", "moesif of shop loses 0.1 requests a second (refused)"),
}


def promtool(*arguments):
    return subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_promtool_finds_nothing_wrong_with_the_rules():
    done = promtool("check", "rules", *sorted(RULES.glob("*.yaml")))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_do_what_their_tests_say(path):
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_tried_where_it_fires_and_where_it_does_not(alert):
    scenarios = yaml.safe_load((RULES / "tests" / f"{alert}.yaml").read_text())["tests"]
    expected = [
        case["exp_samples"]
        for scenario in scenarios
        for case in scenario["promql_expr_test"]
        if alert in case["expr"]
    ]
    firing = f'alertname="{alert}", alertstate="firing"'
    assert any(firing in sample["labels"] for samples in expected for sample in samples)
    assert [] in expected


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_is_so_and_what_to_do(alert, tmp_path):
    told = ALERTS[alert]["annotations"]
    assert len(told["description"]) > 200
    assert "1. " in told["description"]
    assert "2. " in told["description"]
    assert "{{" not in told["description"]
    time, summary = SUMMARIES[alert]
    tests = RULES / "tests" / f"{alert}.yaml"
    scenario = yaml.safe_load(tests.read_text())["tests"][0]
    labels = next(
        sample["labels"]
        for case in scenario["promql_expr_test"]
        if case["eval_time"] == time
        for sample in case["exp_samples"]
    )
    # The texts are not in the tests beside the rules, where each change would have to be repeated.
    expected = {
        "summary": summary,
        "dashboard": told["dashboard"].replace("{{ $labels.job }}", "shop"),
    }
    del scenario["promql_expr_test"]
    scenario["input_series"] = [
        series for series in scenario["input_series"] if 'exporter="readme"' not in series["series"]
    ]
    scenario["alert_rule_test"] = [
        {
            "alertname": alert,
            "eval_time": time,
            "exp_alerts": [
                {"exp_labels": _labels(labels), "exp_annotations": {**told, **expected}}
            ],
        }
    ]
    asked = {
        "rule_files": [str(RULES / name) for name in ("recording.yaml", "alerts.yaml")],
        "evaluation_interval": "1m",
        "tests": [scenario],
    }
    file = tmp_path / "texts.yaml"
    file.write_text(json.dumps(asked))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def _labels(series):
    pairs = yaml.safe_load(series.removeprefix("ALERTS").replace("=", ": "))
    return {name: text for name, text in pairs.items() if name not in {"alertname", "alertstate"}}
