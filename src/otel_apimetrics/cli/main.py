"""The command `otel-apimetrics`."""

import argparse
import os
import sys
from collections.abc import Sequence

from otel_apimetrics.cli import collector_rules, redact_test
from otel_apimetrics.cli.errors import UsageError
from otel_apimetrics.config import ConfigError
from otel_apimetrics.version import __version__

PROGRAM = "otel-apimetrics"

_USAGE = 2
"""What argparse exits with, too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Args:
        arguments: the command line; `None` takes the process's own.

    Returns:
        The exit code: 2 where the arguments or the environment are wrong, else the subcommand's.

    Raises:
        SystemExit: argparse refuses the arguments (code 2), or has shown help (code 0).
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.run is None:
        parser.print_help(sys.stderr)
        return _USAGE
    try:
        text, code = options.run(options, os.environ)
    except (ConfigError, UsageError) as error:
        sys.stderr.write(f"{PROGRAM} {options.command}: {error}\n")
        return _USAGE
    _say(text)
    return int(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Try out and deploy what otel-apimetrics is configured to do."
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    redact_test.add_to(commands)
    collector_rules.add_to(commands)
    return parser


def _say(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except UnicodeEncodeError as error:
        sys.stdout.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
    except BrokenPipeError:
        # Who read it has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
