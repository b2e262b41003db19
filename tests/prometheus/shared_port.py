"""A process that counts one order and serves scrapes, if it gets the port, until it is ended."""

import sys

from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_apimetrics.prometheus import PrometheusReader, ScrapeServer

directory, port = sys.argv[1:]
reader = PrometheusReader(registry=CollectorRegistry(), target_info=False, directory=directory)
provider = MeterProvider([reader])
provider.get_meter("shop").create_counter("orders").add(1)
server = ScrapeServer(reader, int(port))
print("listens" if server.is_listening else "waits", flush=True)
sys.stdin.read()
