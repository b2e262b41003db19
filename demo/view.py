"""Show what otel-apimetrics recorded: `python demo/view.py otlp.jsonl`.

Reads OTLP/JSON lines, as the Collector's file exporter and `otel_apimetrics.gateway` write
them. Needs the standard library alone.
"""

import argparse
import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from otlp_lines import Point, Recorded, read

BODIES = ("http.request.body.content", "http.response.body.content")
NOTES = {
    "apimetrics.consumer.id": "who called",
    "apimetrics.consumer.group": "their plan or tier",
    "http.route": "the template, so /users/1 and /users/2 are one row above",
    "http.request.body.content": "what the caller sent, redacted",
    "http.response.body.content": "what the app answered, redacted",
    "url.query": "values of sensitive names are gone",
    "redaction.masked.keys": "masked by the Collector: the first lock let these through",
}
REDACTED = re.compile(r"\[REDACTED[^\]]{0,64}\]|\*{4}")
SERVER = 2
ROWS = 40
BODY_LINES = 12
NARROWEST = 70
STYLES = {
    "title": "1",
    "head": "1;4",
    "key": "36",
    "note": "3;32",
    "redacted": "1;30;43",
    "dim": "2",
}


def telling(spans: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Choose the span to show: a SERVER span, with a redacted body where there is one."""

    def worth(span: dict[str, Any]) -> tuple[bool, bool, int]:
        attributes = span["attributes"]
        bodies = [str(attributes.get(name, "")) for name in BODIES]
        redacted = any("[REDACTED" in body for body in bodies)
        return redacted, any(bodies), len(attributes)

    return max((span for span in spans if span.get("kind") == SERVER), key=worth, default=None)


class Page:
    """Lines for a terminal of a width, with colour or without."""

    def __init__(self, width: int, *, color: bool) -> None:
        self.width = width
        self.color = color

    def style(self, name: str, text: str) -> str:
        """Colour a text."""
        return f"\x1b[{STYLES[name]}m{text}\x1b[0m" if self.color and text else text

    def highlighted(self, text: str) -> str:
        """Colour the redactions inside a text."""
        return REDACTED.sub(lambda match: self.style("redacted", match[0]), text)

    def table(self, recorded: Recorded) -> Iterator[str]:
        """Yield the requests by consumer and route."""
        counts = recorded.requests or recorded.durations
        order = sorted(counts, key=lambda row: (-counts[row].count, row))
        rows = [("consumer", "method", "route", "status", "requests", "p50 ms", "p95 ms", "p99 ms")]
        for row in order[:ROWS]:
            duration = recorded.durations.get(row, Point())
            times = (milliseconds(duration.quantile(q)) for q in (0.5, 0.95, 0.99))
            named = (printable(text) or "-" for text in row)
            rows.append((*named, str(counts[row].count), *times))
        widths = fitted([max(map(columns, cells)) for cells in zip(*rows, strict=True)], self.width)
        for number, cells in enumerate(rows):
            aligned = (padded(cell, widths[i], right=i > 2) for i, cell in enumerate(cells))
            line = "  ".join(aligned).rstrip()
            yield self.style("head", line) if number == 0 else line
        if len(order) > ROWS:
            yield self.style("dim", f"... and {len(order) - ROWS} rows more")

    def span(self, span: dict[str, Any]) -> Iterator[str]:
        """Yield a span attribute by attribute."""
        took = (int(span.get("endTimeUnixNano", 0)) - int(span.get("startTimeUnixNano", 0))) / 1e6
        yield f"{printable(span.get('name', ''))}  {took:.1f} ms"
        yield self.style("dim", f"trace {span.get('traceId', '-')}  span {span.get('spanId', '-')}")
        for name, value in sorted(span["attributes"].items()):
            text = printable(value if isinstance(value, str) else json.dumps(value, default=str))
            note = self.style("note", f"  <- {NOTES[name]}") if name in NOTES else ""
            if columns(name) + columns(text) + 4 > self.width or name in BODIES:
                yield f"  {self.style('key', printable(name))}{note}"
                yield from self.wrapped(text)
            else:
                yield f"  {self.style('key', printable(name))}  {self.highlighted(text)}{note}"

    def wrapped(self, text: str) -> Iterator[str]:
        """Yield a long text in lines; no redaction is cut in two."""
        size = max(self.width - 6, 20)
        for _ in range(BODY_LINES):
            end = cut(text, size)
            if text:
                yield f"      {self.highlighted(text[:end])}"
            text = text[end:]
        if text:
            yield self.style("dim", f"      ... and {len(text)} characters more")


def cut(text: str, size: int) -> int:
    """Return how many characters fill a line, moving back before a redaction that would break."""
    width = end = 0
    while end < len(text) and (width := width + columns(text[end])) <= size:
        end += 1
    for match in REDACTED.finditer(text, max(end - 80, 0), end + 80):
        if 0 < match.start() < end < match.end():
            return match.start()
    return max(end, 1)


def printable(value: Any) -> str:
    """Escape what a terminal would obey: what a caller sent is shown, never executed."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value)
    )


def columns(text: str) -> int:
    """Count terminal columns: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def padded(text: str, width: int, *, right: bool) -> str:
    """Fill or cut a text to a width."""
    if columns(text) > width:
        while text and columns(text) >= width:
            text = text[:-1]
        text += "…"
    space = " " * (width - columns(text))
    return space + text if right else text + space


def fitted(widths: list[int], width: int) -> list[int]:
    """Shrink the widest of consumer and route until the table fits."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths[0], widths[2]) > 8:
        widest = 0 if widths[0] > widths[2] else 2
        widths[widest] -= 1
    return widths


def milliseconds(seconds: float | None) -> str:
    """Show seconds as milliseconds."""
    return "-" if seconds is None else f"{seconds * 1000:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the view; 1 where the file has nothing to show."""
    parser = argparse.ArgumentParser(description="Show what otel-apimetrics recorded.")
    parser.add_argument("file", type=Path, metavar="FILE.jsonl", help="OTLP/JSON lines")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    options = parser.parse_args(arguments)
    try:
        recorded = read(options.file)
    except OSError as error:
        return nothing(f"{options.file} cannot be read: {error.strerror}.")
    if not recorded.spans and not recorded.total:
        return nothing(f"{options.file} has no spans and no request metrics.")
    show(recorded, options.file, color=colored(options.color))
    return 0


def show(recorded: Recorded, file: Path, *, color: bool) -> None:
    """Print title, table, one span, and what was read."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    page = Page(max(shutil.get_terminal_size((100, 24)).columns, NARROWEST), color=color)
    print(page.style("title", "API metrics, as OpenTelemetry recorded them"))
    print("\n" + page.style("title", "Requests by consumer and route"))
    print("\n".join(page.table(recorded)) if recorded.total else "No request metrics in the file.")
    span = telling(recorded.spans)
    print("\n" + page.style("title", "One request, as its span tells it"))
    print("\n".join(page.span(span)) if span else "No SERVER span in the file.")
    bad = f" {recorded.unreadable} lines could not be read." if recorded.unreadable else ""
    print(f"\n{len(recorded.spans)} spans and {recorded.total} requests, read from {file}.{bad}")


def colored(choice: str) -> bool:
    """Tell whether to colour; NO_COLOR is https://no-color.org."""
    if choice != "auto":
        return choice == "always"
    plain_terminal = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain_terminal


def nothing(reason: str) -> int:
    """Say why there is nothing to show, and what to do."""
    print(reason, file=sys.stderr)
    print(
        "Start a receiver, send requests to an instrumented app, then look again:", file=sys.stderr
    )
    print("  python -m otel_apimetrics.gateway --port 4318 --file otlp.jsonl", file=sys.stderr)
    print("Metrics are exported once a minute, and when the app ends.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
