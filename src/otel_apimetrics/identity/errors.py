"""What a wrong configuration of this room raises."""


class SpecError(ValueError):
    """A value that names no consumer, proxy or mode; the message says what to write instead."""
