"""What the user chose: keywords and environment variables, validated once, at start."""

from otel_apimetrics.config.building import OPTIONS, build
from otel_apimetrics.config.given import ConfigError
from otel_apimetrics.config.model import Config

__all__ = ["OPTIONS", "Config", "ConfigError", "build"]
