"""OTLP in: receives telemetry over OTLP/HTTP and hands each request on as OTLP/JSON.

The rooms behind a Collector start here. `receiver` speaks the protocol, `otlp_json` gives
every request one shape whatever encoding it came in, `json_lines` writes that shape to a
file as the Collector's file exporter does. Needs the extra `gateway`.
"""
