"""The variables of dashboards: what a reader may narrow them to."""

from typing import NamedTuple

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana import queries

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_ALL = VariableOption(selected=True, text=["All"], value=["$__all"])


class Variable(NamedTuple):
    """Narrows to values of one label."""

    name: str
    label: str
    """Of the series."""
    title: str
    all: str | None = ".*"
    """What "All" stands for, where it is more than the values that are offered: series without the
    label too."""

    @property
    def matcher(self) -> str:
        """Goes into selectors. Grafana puts an expression for the chosen values in its place."""
        return f'{self.label}=~"${self.name}"'


JOB = Variable("job", "job", "Service", all=None)
"""Prometheus scrapes other jobs too: "All" are those that have our metrics."""

INSTANCE = Variable("instance", "instance", "Instance")
METHOD = Variable("method", queries.METHOD, "Method")
ROUTE = Variable("route", queries.ROUTE, "Route")
GROUP = Variable("group", queries.GROUP, "Consumer group")
CONSUMER = Variable("consumer", queries.CONSUMER, "Consumer")


def source() -> DatasourceVariable:
    """Make the one that chooses among several Prometheus."""
    return DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def query(variable: Variable, before: tuple[Variable, ...]) -> QueryVariable:
    """Make one that offers the label's values, narrowed by the variables before it."""
    series = queries.select(queries.REQUESTS, *(other.matcher for other in before))
    made = (
        QueryVariable(variable.name)
        .label(variable.title)
        .datasource(SOURCE)
        .query(f"label_values({series}, {variable.label})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .current(_ALL)
    )
    return made if variable.all is None else made.all_value(variable.all)
