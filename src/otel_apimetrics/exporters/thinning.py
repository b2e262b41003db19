"""Which share of the exchanges an exporter gets."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from otel_apimetrics.exchange import Exchange

Rate: TypeAlias = float | Callable[[Exchange], float]


def thinned(exchange: Exchange, rate: Rate) -> Exchange | None:
    """Give the exchange with the weight of those left out; `None` where it is one of these."""
    share = rate(exchange) if callable(rate) else rate
    if share >= 1:
        return exchange
    if share <= 0 or random.random() >= share:  # noqa: S311  sampling is no secret
        return None
    return replace(exchange, weight=exchange.weight / share)
