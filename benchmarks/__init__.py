"""What recording costs: the CPU time of one request above the bare app, in one run.

`python -m benchmarks --help`; `docs/performance.md` explains what is measured and how.
"""
