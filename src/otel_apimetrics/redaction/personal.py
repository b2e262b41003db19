"""What tells a person: e-mail addresses, phone numbers, IP addresses. Off until asked for."""

import re
from ipaddress import ip_address
from typing import Final

from otel_apimetrics.redaction.marks import Marker
from otel_apimetrics.redaction.values import Rule


def _address(found: re.Match[str], mark: Marker) -> str:
    # "12:30:45" has the letters of an IPv6 address, and "1.2.3.400" those of an IPv4 one.
    try:
        ip_address(found[0])
    except ValueError:
        return found[0]
    return mark(found[0], "value:ip")


PERSONAL: Final = (
    Rule(
        "email",
        ("@",),
        # The guard lets a run be entered once, at its start: linear.
        re.compile(
            r"(?<![\w.%+-])[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}", re.ASCII
        ),
    ),
    Rule(
        "phone",
        ("+",),
        re.compile(r"\+(?<![\w+]\+)[1-9](?:[ ().-]{0,2}\d){6,14}(?!\d)", re.ASCII),
    ),
    Rule(
        "ip",
        (".", ":"),
        re.compile(
            r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}"
            r"|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3})(?![\w:]|\.\w)",
            re.ASCII,
        ),
        _address,
        checks=True,
    ),
)
CUT_PERSONAL: Final = re.compile(r"[\w.%+-]{1,64}@[\w.-]{0,255}\Z|\+[\d ().-]{0,30}\Z", re.ASCII)
"""The beginning of one at the end of a text that was cut."""
