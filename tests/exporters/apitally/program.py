"""A process of its own: an app with the exporter of the environment, which serves and ends."""

import os
import sys

import flask

from otel_apimetrics import ApiMetricsInstrumentor
from otel_apimetrics.exporters import closing

ApiMetricsInstrumentor().instrument()
app = flask.Flask("shop")
app.add_url_rule("/items/<int:item_id>", "item", lambda item_id: {"id": item_id})


def serve(number):
    client = app.test_client()
    for item_id in range(number):
        client.get(f"/items/{item_id}", headers={"X-User": "alice"}).close()


serve(int(sys.argv[1]))
if len(sys.argv) > 2:
    # A worker, forked from a process that has its threads already.
    for queue in list(closing.queues):
        queue.flush(20)
    child = os.fork()
    serve(int(sys.argv[2]))
    if child:
        _, status = os.waitpid(child, 0)
        sys.exit(status)
