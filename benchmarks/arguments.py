"""Numbers that are given on a command line."""

import argparse
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """Make what reads a whole number, and refuses those below `least`."""

    def number(text: str) -> int:
        given = int(text)
        if given < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return given

    return number
