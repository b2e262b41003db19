"""What is wrong with a command line."""


class UsageError(ValueError):
    """An argument or a file cannot be used; the message names it and the remedy."""
