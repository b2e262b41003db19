"""The series that the variables of a dashboard choose."""

from typing import Final

from grafana import queries as q
from grafana.variables import Variable


class Chosen:
    """Series that have the chosen values.

    Args:
        variables: of the dashboard, in their order.
    """

    def __init__(self, *variables: Variable) -> None:
        self.variables: Final = variables
        self._matchers: Final = tuple(variable.matcher for variable in variables)
        self.requests: Final = self.series(q.REQUESTS)
        self.server_errors: Final = self.series(q.REQUESTS, q.SERVER_ERROR)
        self.client_errors: Final = self.series(q.REQUESTS, q.CLIENT_ERROR)
        self.duration: Final = self.histogram(q.DURATION)

    def series(self, metric: str, *matchers: str) -> str:
        """Give those of a metric that meet more matchers, too."""
        return q.select(metric, *self._matchers, *matchers)

    def histogram(self, name: str) -> tuple[str, ...]:
        """Give the name and the matchers of a histogram, for its mean, shares and quantiles."""
        return name, *self._matchers
