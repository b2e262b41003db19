"""What a scrape cannot show, said in the log once."""

import os
import sys

from otel_apimetrics import _guard


def warn_of_provider(reader: object) -> None:
    """Say that a reader has nothing to collect from."""
    _guard.warn_once(
        f"prometheus.provider.{id(reader)}",
        "A scrape shows no OpenTelemetry metrics of this process: its PrometheusReader was given to"
        " no MeterProvider. Make one with it: MeterProvider([reader]).",
    )


def warn_of_others(made_in: int, variable: str) -> None:
    """Say that there are other processes, where there are any.

    Args:
        made_in: the process that made the reader.
        variable: of the environment, which names a directory.
    """
    uwsgi = sys.modules.get("uwsgi")
    if os.getpid() != made_in or getattr(uwsgi, "numproc", 1) > 1:
        _guard.warn_once(
            "prometheus.alone",
            "This scrape shows one of several processes: whichever has answered. Name a"
            " directory (%s, or directory= of PrometheusReader), and each shows all of them.",
            variable,
        )
