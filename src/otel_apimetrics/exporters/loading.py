"""From the names and objects of `exporters=` to the outlets of a pipeline."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from otel_apimetrics import _guard, forked, semconv
from otel_apimetrics.config import Config
from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters import deployment, resuming
from otel_apimetrics.exporters.delivery import DeliveryQueue, Export
from otel_apimetrics.exporters.needs import body_limit
from otel_apimetrics.exporters.on_request import RequestDelivery
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.quiet import ByName, behind_spans
from otel_apimetrics.exporters.spans import as_span
from otel_apimetrics.exporters.vendor import VendorExporter
from otel_apimetrics.typing import Governor, ResponseHook

GROUP = "opentelemetry_traces_exporter"

_OTLP = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
"""Entry points by what `OTEL_EXPORTER_OTLP_PROTOCOL` may say."""


def load(config: Config) -> dict[str, Any]:
    """Make the exporters that the configuration names, by their names.

    One that `OTEL_TRACES_EXPORTER` or the declarative file names too is attached there alone, with
    a warning: the backend would get each sampled request twice.
    """
    provider = config.tracer_provider or trace.get_tracer_provider()
    inside = (each for each in forked.exporters(provider) if isinstance(each, ByName))
    attached = behind_spans() | {exporter.name for exporter in inside if not exporter.disabled}
    made: dict[str, Any] = {}
    for chosen in config.exporters:
        if not isinstance(chosen, str):
            name = type(chosen).__name__
            made[f"{name}-{len(made)}" if name in made else name] = chosen
        elif chosen in attached:
            _guard.warn_once(
                f"exporters.{chosen}",
                "%s is in OTEL_TRACES_EXPORTER, or behind a span processor of the declarative file,"
                " and among the exporters of otel-apimetrics: it stays in the first, and gets"
                " sampled requests alone. Take it out there, and it gets every request.",
                chosen,
            )
        else:
            with deployment.told(config.environment):
                exporter = _by_name(chosen)
            if exporter is not None:
                made[chosen] = exporter
    return made


def outlets(exporters: Mapping[str, Any], config: Config) -> tuple[DeliveryQueue, ...]:
    """Make a queue for each exporter.

    Args:
        exporters: by name.
        config: of the pipeline that they stand behind.
    """
    resuming.watch_forks()
    return tuple(_outlet(name, exporter, config) for name, exporter in exporters.items())


def _outlet(name: str, exporter: Any, config: Config) -> DeliveryQueue:
    options: dict[str, Any] = {
        "rate": config.sample_rate,
        "max_body_size": body_limit(config, exporter),
        "shutdown": getattr(exporter, "shutdown", lambda: None),
        "counts": not getattr(exporter, "counts_itself", False),
        "app_started": getattr(exporter, "app_started", lambda *_: None),
        "again": getattr(exporter, "again", lambda: None),
    }
    if isinstance(exporter, VendorExporter):
        exporter.is_fed = True
    export, within = _export(exporter, config), getattr(exporter, "on_request", None)
    made = (
        DeliveryQueue(name, export, **options)
        if within is None
        else RequestDelivery(name, export, within=within, **options)
    )
    made.is_patient = hasattr(exporter, "export_exchanges")
    return made


def response_hooks(exporters: Iterable[Any]) -> tuple[ResponseHook, ...]:
    """Give what exporters add to responses, where their user has asked for it."""
    hooks = (getattr(exporter, "response_hook", None) for exporter in exporters)
    return tuple(hook for hook in hooks if hook is not None)


def governors(exporters: Iterable[Any]) -> tuple[Governor, ...]:
    """Give what answers in the app's place, where its user has asked for it."""
    found = (getattr(exporter, "governor", None) for exporter in exporters)
    return tuple(governor for governor in found if governor is not None)


def _by_name(name: str) -> Any:
    try:
        # The first one, as the SDK takes it: metadata may be on the path twice.
        exporter = next(iter(entry_points(group=GROUP, name=_entry_point(name)))).load()()
    except Exception as error:
        # Missing credentials, say: one clear line, and the app runs on.
        _guard.swallow(f"exporters.{name}", error, reveal=True)
        return None
    return None if getattr(exporter, "disabled", False) else exporter


def _entry_point(name: str) -> str:
    """Give the entry point of an exporter; of `otlp` that of the protocol, as the SDK does.

    Raises:
        ValueError: OpenTelemetry's variables name a protocol that there is not.
    """
    if name != "otlp":
        return name
    said = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "").strip()
    said = said or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").strip()
    if not said:
        return name
    if said not in _OTLP:
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL={said}: use {' or '.join(_OTLP)}")
    return _OTLP[said]


def _export(exporter: Any, config: Config) -> Export:
    """Give the door that an exporter has: for exchanges, or for spans."""
    direct = getattr(exporter, "export_exchanges", None)
    if direct is not None:

        def hand_on(batch: Sequence[Exchange], patience: Patience) -> bool:
            with deployment.told(_environment(config)):
                return bool(direct(batch, patience))

        return hand_on

    def export(batch: Sequence[Exchange], _: Patience) -> bool:
        resource = _resource(config)
        result = exporter.export([as_span(exchange, resource) for exchange in batch])
        return result is SpanExportResult.SUCCESS

    return export


def _environment(config: Config) -> str | None:
    """Give the environment that the provider's resource names, else the option."""
    provider = config.tracer_provider or trace.get_tracer_provider()
    resource = getattr(provider, "resource", None)
    if not isinstance(resource, Resource):
        resource = _own_resource()
    return deployment.of_resource(resource) or config.environment


@cache
def _own_resource() -> Resource:
    """Give what `OTEL_RESOURCE_ATTRIBUTES` says, where there is no provider."""
    return OTELResourceDetector().detect()


def _resource(config: Config) -> Resource:
    """Give the provider's resource, with the environment where it has none."""
    provider = config.tracer_provider or trace.get_tracer_provider()
    resource = getattr(provider, "resource", None)
    if not isinstance(resource, Resource):
        resource = Resource.create()
    if config.environment is not None and semconv.ENVIRONMENT not in resource.attributes:
        resource = resource.merge(Resource({semconv.ENVIRONMENT: config.environment}))
    return resource
