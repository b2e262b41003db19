"""The subcommand `collector-rules`."""

import argparse
from collections.abc import Mapping
from typing import Any

from otel_apimetrics.cli.policy_flags import add_policy_flags, policy_of

_EPILOG = """\
examples:
  %(prog)s > apimetrics-redaction.yaml
  otelcol --config collector.yaml --config apimetrics-redaction.yaml
  %(prog)s --deny iban --pattern 'ACME-[0-9]{8}'

exit codes:
  0  the rules were written
  2  the arguments or the environment are wrong
"""


def add_to(commands: Any) -> None:
    """Add this subcommand to argparse's subparsers."""
    parser = commands.add_parser(
        "collector-rules",
        help="write the redaction rules as a configuration of the OpenTelemetry Collector",
        description="Write the redaction rules as YAML for the OpenTelemetry Collector.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_policy_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[str, int]:
    """Write the rules of a policy.

    Args:
        options: what `add_to` parsed.
        environ: the process environment.

    Returns:
        The YAML text, and 0.

    Raises:
        ConfigError: the policy cannot be used.
    """
    from otel_apimetrics.collector_rules import rules

    return rules(policy_of(options, environ)), 0
