"""Where redacted exchanges go, whatever the trace sampler said."""
