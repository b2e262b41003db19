"""A small app whose requests are counted: each answer names the process that gave it."""

import multiprocessing
import os

from flask import Flask

app = Flask(__name__)


@app.get("/items/<int:_number>")
def item(_number: int) -> str:
    return str(os.getpid())


@app.get("/spawned/<method>")
def spawned(method: str) -> str:
    """Have another process do some of the work."""
    process = multiprocessing.get_context(method).Process(target=str)
    process.start()
    process.join()
    return str(os.getpid())


if __name__ == "__main__":
    import sys

    from werkzeug.serving import run_simple

    port, reload = int(sys.argv[1]), "reload" in sys.argv
    run_simple("127.0.0.1", port, app, threaded=True, use_reloader=reload, reloader_type="stat")
