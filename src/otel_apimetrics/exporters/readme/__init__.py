"""ReadMe Metrics: the exporter, the mask of its keys and the check of its webhook."""

from otel_apimetrics.exporters.readme.exporter import ReadMeSpanExporter
from otel_apimetrics.exporters.readme.webhook import WebhookError, verify_webhook
from otel_apimetrics.identity import mask_key

__all__ = ["ReadMeSpanExporter", "WebhookError", "mask_key", "verify_webhook"]
