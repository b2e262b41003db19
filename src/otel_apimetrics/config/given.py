"""A value as the user gave it, and the error that refuses it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_OPTION = re.compile(r"^(?:redaction option )?[a-z_]{1,32}: ")

_LONGEST_SHOWN = 80
"""Characters of a refused value that an error message repeats."""


class ConfigError(ValueError):
    """Says which option or variable is wrong, what its value is, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Given:
    """One raw value and the place it came from."""

    value: object
    source: str
    """The keyword ("capture_body") or the environment variable that gave the value."""

    def item(self, value: object) -> "Given":
        """Return one part of this value, from the same place."""
        return Given(value, self.source)

    def refuse(self, remedy: str) -> ConfigError:
        """Make the error that names the place, the value and the remedy.

        Args:
            remedy: an order in plain words, without the full stop ("use off or all").

        Returns:
            The error to raise.
        """
        return ConfigError(f"{self.source}{_shown(self.value)} is not accepted: {remedy}.")

    def relay(self, error: Exception) -> ConfigError:
        """Make the error that names the place and repeats what another room said.

        Args:
            error: its message names the value and the remedy already, and may begin with
                the name of an option, which this one replaces.

        Returns:
            The error to raise.
        """
        message = _OPTION.sub("", str(error)).rstrip(".")
        return ConfigError(f"{self.source} is not accepted: {message}.")


def is_absent(value: object) -> bool:
    """Say whether a value means "not given": `None`, or a string of white space at most."""
    return value is None or (isinstance(value, str) and not value.strip())


def refuse_unknown(kind: str, given: Iterable[object], known: tuple[str, ...]) -> None:
    """Refuse names that nobody reads: a typo must not leave the user with defaults.

    Args:
        kind: what the names are, for the message ("option").
        given: the names.
        known: the names that are read.

    Raises:
        ConfigError: a name is unknown; the message has the nearest name and all names.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}? It" if near else "it"
            raise ConfigError(f"Unknown {kind} {name}: {hint} must be one of {', '.join(known)}.")


def _shown(value: object) -> str:
    # The text of an arbitrary object may hold credentials (an exporter's, a client's): its
    # type is enough to find it.
    if not isinstance(value, (str, int, float)):
        return f" (of type {type(value).__qualname__})"
    text = repr(value)
    return "=" + (text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "...")
