"""The redaction rules as a configuration of the OpenTelemetry Collector: a second lock.

The first lock is in the app's process and knows the structure of what it reads. The Collector
has only Go's regular expressions, which do not look around; so what is made here masks a little
more, and where it masks less, the text itself says so.
"""

from otel_apimetrics.collector_rules.page import print_rules, rules

__all__ = ["print_rules", "rules"]
