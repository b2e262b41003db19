"""The redaction policy of a command: from the environment, then from flags."""

import argparse
import re
from collections.abc import Mapping

from otel_apimetrics.config import ConfigError
from otel_apimetrics.config.building import PREFIX, VARIABLES
from otel_apimetrics.config.given import refuse_unknown
from otel_apimetrics.config.policy import merged, redaction
from otel_apimetrics.redaction import RedactionPolicy
from otel_apimetrics.redaction.marks import MODES

_FLAGS = {"patterns": "--pattern"}
_FIELD = re.compile(r"\bredaction\.([a-z_]+)")


def add_policy_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that `policy_of` reads."""
    group = parser.add_argument_group(
        "policy",
        "As production has it, from the environment variables OTEL_APIMETRICS_REDACTION_*.\n"
        "Each flag takes the place of its variable.",
    )
    group.add_argument(
        "--deny",
        action="append",
        metavar="NAME",
        help="mask this name, or this dotted path (users.*.email), too; may be repeated",
    )
    group.add_argument(
        "--allow", action="append", metavar="NAME", help="leave this name or path; may be repeated"
    )
    group.add_argument(
        "--pattern",
        action="append",
        metavar="REGEX",
        help="mask what this regular expression finds, too; may be repeated",
    )
    group.add_argument(
        "--mask", metavar="MODE", help="mask, remove, hash, last4 or tokenise (default: mask)"
    )
    group.add_argument(
        "--pii",
        action="store_true",
        default=None,
        help="mask e-mail addresses, phone numbers and IP addresses, too",
    )


def policy_of(options: argparse.Namespace, environ: Mapping[str, str]) -> RedactionPolicy:
    """Read the policy as production does, each flag as a keyword would be.

    Args:
        options: with what `add_policy_flags` adds.
        environ: the process environment.

    Raises:
        ConfigError: a value is not accepted, or a variable `OTEL_APIMETRICS_*` is unknown.
    """
    refuse_unknown(
        "environment variable", [name for name in environ if name.startswith(PREFIX)], VARIABLES
    )
    flags = {
        "deny": options.deny,
        "allow": options.allow,
        "patterns": options.pattern,
        "mask": options.mask,
        "pii": options.pii,
    }
    if options.mask is not None and not options.mask.strip():
        raise ConfigError(f"--mask is empty: use {', '.join(MODES)}, or leave it out.")
    given = merged({name: value for name, value in flags.items() if value is not None}, environ)
    if given is None:
        return RedactionPolicy()
    try:
        return redaction(given)
    except ConfigError as error:
        # Here a field is a flag.
        message = _FIELD.sub(lambda name: _FLAGS.get(name[1], f"--{name[1]}"), str(error))
        raise ConfigError(message) from error
