"""Dashboards and rules for the metrics that Prometheus scrapes: `python -m grafana` writes them.

Needs Python 3.11 for Grafana's foundation SDK; what is written needs neither.
"""
