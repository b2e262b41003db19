"""What a kind of secret is, and the letters that secrets are made of."""

import json
import string
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

DIGITS: Final = string.digits
UPPER: Final = string.ascii_uppercase
LOWER: Final = string.ascii_lowercase
ALNUM: Final = DIGITS + UPPER + LOWER
HEX: Final = "0123456789abcdef"
BASE32: Final = UPPER + "234567"
URLSAFE: Final = ALNUM + "-_"
BASE64: Final = ALNUM + "+/"


def _whole(secret: str) -> str:
    return secret


@dataclass(frozen=True, slots=True)
class Places:
    """By what a secret is recognised."""

    by_value: bool = False
    """By its shape: anywhere, whatever the name beside it."""
    names: tuple[str, ...] = ()
    """By its name: of a JSON member, parameter, header, cookie or assignment."""
    parameters: tuple[str, ...] = ()
    """By a name that is secret in queries and forms alone ("code" is an error's elsewhere)."""
    headers: tuple[str, ...] = ()
    """By a name that only a header field has."""
    cookies: tuple[str, ...] = ()
    """By being the value of a cookie, whatever its name."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret, with the documentation that tells its format."""

    name: str
    origin: str
    make: Callable[[Random], str]
    """Gives a well-formed secret that no issuer ever issued; the same for the same `Random`."""
    places: Places
    hidden: Callable[[str], str] = _whole
    """Gives the part of it that must not be seen; a scheme or a host beside it may."""
    spellings: tuple[Callable[[str], str], ...] = (_whole,)
    """The ways in which it is written."""


def text(random: Random, alphabet: str, length: int) -> str:
    """Draw letters."""
    return "".join(random.choices(alphabet, k=length))


def digits(random: Random, length: int) -> str:
    """Draw digits, of which the first is not 0: such a number can be a JSON number too."""
    return random.choice("123456789") + text(random, DIGITS, length - 1)


def uuid(random: Random) -> str:
    """Draw a UUID of version 4 (RFC 9562)."""
    return "-".join(
        (
            text(random, HEX, 8),
            text(random, HEX, 4),
            "4" + text(random, HEX, 3),
            random.choice("89ab") + text(random, HEX, 3),
            text(random, HEX, 12),
        )
    )


def base64url(data: bytes | dict[str, object]) -> str:
    """Encode without padding, as JOSE does (RFC 7515, section 2)."""
    raw = json.dumps(data, separators=(",", ":")).encode() if isinstance(data, dict) else data
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def of(*parts: str | tuple[str, int]) -> Callable[[Random], str]:
    """Make a secret from literal parts, and from alphabets with the number of letters to draw.

    The literals of one prefix come in pieces, so that a scanner of repositories finds nothing.
    """

    def make(random: Random) -> str:
        return "".join(
            part if isinstance(part, str) else text(random, part[0], part[1]) for part in parts
        )

    return make


BY_VALUE: Final = Places(by_value=True)


def named(*names: str) -> Places:
    """Say that a secret is known by its name alone."""
    return Places(names=names)
