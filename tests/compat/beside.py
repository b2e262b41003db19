"""Runs scenarios in a process of its own, and reads what was shown but for values of time."""

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_TIME = re.compile(
    r"^(\w+_(?:sum|created)(?:\{.*\})?|\w+_bucket\{.*le=\"[0-9.]+\".*\}) \S+$", re.MULTILINE
)
OF_BUCKET = re.compile(r"^(\w+_bucket\{.*\} \S+) # .*$", re.MULTILINE)
"""Which bucket has an exemplar is a matter of time."""
OF_MOMENT = re.compile(r"^(.* # \{.*\} \S+) \S+$", re.MULTILINE)


def run(python, scenarios, package, *sources):
    """Run the scenarios of a module with a package, and give what was shown by their names."""
    variables = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *sources)))}
    done = subprocess.run(
        [python, "-m", scenarios, package],
        env={**os.environ, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def timeless(text):
    """Give the lines of a scrape, with `T` for each value of time."""
    plain = OF_MOMENT.sub(r"\1 T", OF_BUCKET.sub(r"\1", text))
    return OF_TIME.sub(r"\1 T", plain).splitlines()
