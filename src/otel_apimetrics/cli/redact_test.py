"""The subcommand `redact-test`: what would be masked, and by which rule."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from otel_apimetrics.cli.errors import UsageError
from otel_apimetrics.cli.kinds import WORDS, Kind, kind_of
from otel_apimetrics.cli.listing import Listing, summary
from otel_apimetrics.cli.paint import Paint, plain, wants_colour
from otel_apimetrics.cli.parts import Part
from otel_apimetrics.cli.payload import Outcome, explain
from otel_apimetrics.cli.policy_flags import add_policy_flags, policy_of
from otel_apimetrics.cli.pretty import member_with, paths
from otel_apimetrics.cli.survivors import Secret, hide_all, place_of
from otel_apimetrics.content.charset import decode
from otel_apimetrics.redaction.explain import Explainer

_SURVIVED: Final = 1
_SHORTEST_SECRET: Final = 4
_EPILOG: Final = """\
examples:
  %(prog)s login.json
      what is masked in a body, and by which rule
  %(prog)s session.har --secret "$CANARY" --secret hunter2-staging
      fail where one of two planted secrets is left in a recording of a browser
  curl -si https://api.example.com/me | %(prog)s -
      headers and body of a response
  echo 'user=ada&pin=1234' | %(prog)s - --type form --deny user
      try a policy before it goes live
  %(prog)s body.json --json | jq '.findings[].rule'
      for programs

rules:
  name:NAME, header:NAME, cookie:NAME  the name is sensitive
  value:RULE                           the value has the shape of a secret
  error                                the redaction failed, nothing is shown
  cut, depth, size, parts, operations  the end of a cut body; too much of it
  file, graphql                        what a file holds; the literals of a GraphQL query
  structure                            a piece of markup that is hidden as a whole
  media type, sensitive path           nothing of such a body is recorded
  callback                             your own function took it out

exit codes:
  0  done, and no --secret is left
  1  a --secret is left in the result
  2  the arguments, the file or the environment are wrong
"""

_Places = list[tuple[str, int, int]]


def add_to(commands: Any) -> None:
    """Add this subcommand to argparse's subparsers."""
    parser = commands.add_parser(
        "redact-test",
        help="show what redaction would mask in a file, and by which rule",
        description="Show what redaction would mask, and by which rule. Of what is masked, the\n"
        "first two characters are shown at most, so that the output fits into a ticket.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="what to read; - is standard input")
    parser.add_argument(
        "--type",
        metavar="TYPE",
        help=f"{', '.join(WORDS)}, or a media type (default: by the file's name, then its content)",
    )
    parser.add_argument(
        "--truncated", action="store_true", help="take bodies as cut: they go on uncaptured"
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="VALUE",
        help="exit with 1 where this is left, raw, percent-encoded, escaped or in base64; it is"
        " never printed; may be repeated",
    )
    parser.add_argument("--show", action="store_true", help="show what is masked in full")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set (default)",
    )
    add_policy_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[str, int]:
    """Redact a file and tell what was found.

    Args:
        options: what `add_to` parsed.
        environ: the process environment.

    Returns:
        What to print, and the exit code.

    Raises:
        ConfigError: the policy cannot be used.
        UsageError: the file or an argument cannot be used.
    """
    explainer = Explainer(policy_of(options, environ))
    secrets = [_secret(value, number) for number, value in enumerate(options.secret, 1)]
    text = _read(options)
    kind = kind_of(options.type, options.file, text)
    try:
        outcome = explain(explainer, text, kind, truncated=options.truncated)
    except UsageError as error:
        raise UsageError(f"{options.file}: {error}") from error
    survived = {secret.number: places for secret in secrets if (places := _left(secret, outcome))}
    absent = [secret.number for secret in secrets if not _was_there(secret, outcome)]
    code = _SURVIVED if survived else 0
    if options.json:
        return _as_json(outcome, secrets, list(survived), absent), code
    paint = Paint(on=wants_colour(options.color, sys.stdout, environ))
    listing = Listing(paint, show=options.show, secrets=secrets)
    listed = [[*listing.lines(part), ""] for part in outcome.parts]
    lines = (
        *_heading(options.file, kind, paint),
        *(line for lines in listed if len(lines) > 1 for line in lines),
        *summary(outcome.parts, paint, secrets),
        *_verdicts(secrets, survived, absent, paint),
    )
    return "\n".join(lines) + "\n", code


def _secret(value: str, number: int) -> Secret:
    if len(value) < _SHORTEST_SECRET:
        raise UsageError(
            f"--secret {number} has fewer than {_SHORTEST_SECRET} characters, which are found in"
            " most texts: plant a longer value."
        )
    return Secret(value, number)


def _read(options: argparse.Namespace) -> str:
    file = options.file
    try:
        if file == "-":
            if sys.stdin.isatty():
                sys.stderr.write("Reading from the terminal; end with Ctrl-D.\n")
            data = sys.stdin.buffer.read()
        else:
            data = Path(file).read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}. Name a file, or - for standard input."
        ) from error
    if (options.type or "").lower().startswith("multipart") or data.startswith(b"--"):
        # As production keeps it: files have bytes that are no text.
        return data.decode("utf-8", "surrogateescape")
    text = decode(data, "", whole=not options.truncated)
    if text is None:
        raise UsageError(
            f"{file} is no text in UTF-8: convert it (iconv -t utf-8), or remove its content"
            " coding (gzip -d)."
        )
    return text


def _left(secret: Secret, outcome: Outcome) -> _Places:
    """Give path, line and column where a secret is left."""
    found: _Places = []
    for part in outcome.parts:
        after = part.explanation.after or ""
        if place := secret.place(after):
            member = member_with(after, secret.place) if part.is_json else ""
            where = ", ".join(path for path in (part.path, member) if path)
            found.append((where, *place))
    if not found and (place := secret.place(outcome.result)):
        # The name of a member that no part holds.
        found.append(("", *place))
    return found


def _was_there(secret: Secret, outcome: Outcome) -> bool:
    return any(secret.place(part.explanation.before) for part in outcome.parts)


def _heading(file: str, kind: Kind, paint: Paint) -> Iterator[str]:
    name = "standard input" if file == "-" else file
    known = kind.content_type or kind.word
    yield f"{paint('heading', name)}: read as {plain(known)} ({kind.source})"
    yield ""


def _verdicts(
    secrets: Sequence[Secret],
    survived: Mapping[int, _Places],
    absent: Sequence[int],
    paint: Paint,
) -> Iterator[str]:
    for secret in secrets:
        name = f"--secret {secret.number}"
        if secret.number in survived:
            for path, line, column in survived[secret.number]:
                where = plain(hide_all(secrets, f"{path}, ")) if path else ""
                yield paint("bad", f"{name} is LEFT: {where}line {line}, column {column}")
        elif secret.number in absent:
            yield f"{name} is not in the input, so this proves nothing about it."
        else:
            yield paint("good", f"{name} is gone.")
    if survived:
        yield (
            "Mask it by its name (--deny NAME, OTEL_APIMETRICS_REDACTION_DENY) or by its shape"
            " (--pattern REGEX, OTEL_APIMETRICS_REDACTION_PATTERNS)."
        )


def _as_json(
    outcome: Outcome, secrets: Sequence[Secret], survived: Sequence[int], absent: Sequence[int]
) -> str:
    said = {
        "changed": any(part.explanation.changed for part in outcome.parts),
        "findings": [finding for part in outcome.parts for finding in _findings(part, secrets)],
        "result": hide_all(secrets, outcome.result),
        "survived": [number - 1 for number in survived],
        "absent": [number - 1 for number in absent],
    }
    return json.dumps(said, indent=2) + "\n"


def _findings(part: Part, secrets: Sequence[Secret]) -> Iterator[dict[str, Any]]:
    explanation = part.explanation
    numbers = {finding: number for number, finding in explanation.numbers}
    marks = {number: finding.mark for number, finding in explanation.numbers}
    members = paths(explanation.noted, marks) if part.is_json else {}
    for finding in explanation.findings:
        said: dict[str, Any] = {"rule": hide_all(secrets, finding.rule)}
        member = members.get(numbers.get(finding, 0), "")
        if part.path:
            said["path"] = part.path
            if member:
                said["member"] = hide_all(secrets, member)
        elif member:
            said["path"] = hide_all(secrets, member)
        line, column = place_of(explanation.masked, finding.start)
        yield {**said, "line": line, "column": column, "mark": hide_all(secrets, finding.mark)}
