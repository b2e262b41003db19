"""Python imports this by itself: each process of a suite, and its children, begins here."""

import os

if os.environ.get("SUITES_ON"):
    import suite_instrumented  # noqa: F401  its import switches us on
