"""The command line: `python -m otel_apimetrics`."""

import sys

from otel_apimetrics.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
