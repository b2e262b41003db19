"""The process: what it costs, and how the telemetry itself is."""

from grafana import queries as q
from grafana.board import Board
from grafana.chosen import Chosen
from grafana.panels import (
    BYTES,
    COUNT,
    EVENTS_PER_SECOND,
    SHARE,
    Column,
    Line,
    Text,
    lines,
    rows,
)
from grafana.variables import INSTANCE, JOB

_HERE = Chosen(JOB, INSTANCE)
_BY = ("job", "instance")
_LEGEND = q.legend(*_BY)
_EXPORTER = ("exporter", "reason")
_EXPORTER_LEGEND = q.legend(*_EXPORTER)


def _now(metric: str) -> str:
    return f"{q.total(_BY)} ({_HERE.series(metric)})"


_PROCESS = (
    lines(
        Text("CPU", "Of one core: 100 % is one that is busy all the time."),
        SHARE,
        Line(q.rate(_HERE.series("process_cpu_seconds_total"), _BY), _LEGEND),
    ),
    lines(
        Text("Memory", "Resident: in the machine's memory, shared pages included."),
        BYTES,
        Line(_now("process_resident_memory_bytes"), _LEGEND),
    ),
    lines(
        Text("Virtual memory", "What the process has reserved, used or not."),
        BYTES,
        Line(_now("process_virtual_memory_bytes"), _LEGEND),
    ),
    lines(
        Text("Open files", "File descriptors, connections among them."),
        COUNT,
        Line(_now("process_open_fds"), _LEGEND),
        Line(_now("process_max_fds"), f"{_LEGEND} limit"),
    ),
)

_PYTHON = (
    lines(
        Text("Garbage collections", "By generation: the second looks at all objects."),
        EVENTS_PER_SECOND,
        Line(
            q.rate(_HERE.series("python_gc_collections_total"), ("generation",)),
            "generation {{generation}}",
        ),
    ),
    lines(
        Text("Objects collected", "Those that referred to each other in circles, by generation."),
        EVENTS_PER_SECOND,
        Line(
            q.rate(_HERE.series("python_gc_objects_collected_total"), ("generation",)),
            "generation {{generation}}",
        ),
    ),
    rows(
        Text("Python", "The interpreter of each instance."),
        {
            "job": "Job",
            "instance": "Instance",
            "implementation": "Implementation",
            "version": "Version",
        },
        Column(
            f"count by (job, instance, implementation, version) ({_HERE.series('python_info')})",
            "Processes",
        ),
    ),
)

_TELEMETRY = (
    lines(
        Text("Exported", "Requests that exporters to vendors took."),
        EVENTS_PER_SECOND,
        Line(q.rate(_HERE.series(q.SENT), ("exporter",)), "{{exporter}}"),
    ),
    lines(
        Text(
            "Lost",
            "Requests that an exporter refused or could not deliver, and those that were given up"
            " before it was asked, by reason.",
        ),
        EVENTS_PER_SECOND,
        Line(q.rate(_HERE.series(q.FAILED), _EXPORTER), f"{_EXPORTER_LEGEND} (failed)"),
        Line(q.rate(_HERE.series(q.DROPPED), _EXPORTER), f"{_EXPORTER_LEGEND} (dropped)"),
    ),
    lines(
        Text(
            "Errors inside otel-apimetrics",
            "By place, those of your own hooks included; the log has a line a minute of each.",
        ),
        EVENTS_PER_SECOND,
        Line(q.rate(_HERE.series(q.INTERNAL_ERRORS), ("place",)), "{{place}}"),
    ),
)

BOARD = Board(
    "process",
    "Process",
    "CPU, memory and garbage of the process, and how its telemetry fares.",
    _HERE.variables,
    (("Process", _PROCESS), ("Python", _PYTHON), ("Telemetry", _TELEMETRY)),
)
