"""What a former process has left on a disk, sent by processes that get no request.

A thread that sends must run where requests are served, and never in a server's master: who forks
with a thread that holds a lock hands its workers a lock that nobody lets go. Two moments tell a
worker from a master: an ASGI server begins an app's lifespan, and a process was forked from one
that has exported nothing itself.
"""

import os
from functools import cache

from otel_apimetrics import health
from otel_apimetrics.exporters.closing import queues


def resume_all() -> None:
    """Have every exporter send what former processes have left. Never raises, does not block.

    For a hook of a server that runs in its workers.
    """
    health.begin_process()  # now that there is one thread: several ones count
    for queue in tuple(queues):
        queue.resume()


@cache
def watch_forks() -> None:
    """Resume in processes that are forked from now on. Once a process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=resume_all)
