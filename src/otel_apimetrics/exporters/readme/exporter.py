"""Sends exchanges to ReadMe Metrics."""

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_apimetrics import _guard
from otel_apimetrics.config import ConfigError
from otel_apimetrics.config.given import Given
from otel_apimetrics.config.values import body_size, flag, names, text
from otel_apimetrics.exchange import Consumer, Exchange, Headers, Request
from otel_apimetrics.exporters import deployment
from otel_apimetrics.exporters.addresses import host_header
from otel_apimetrics.exporters.json_bytes import json_array, json_bytes
from otel_apimetrics.exporters.needs import MOST_WANTED, Needs
from otel_apimetrics.exporters.parcel import Parcel
from otel_apimetrics.exporters.readme.event import event_of, log_id
from otel_apimetrics.exporters.readme.lists import Lists
from otel_apimetrics.exporters.readme.project import Project
from otel_apimetrics.exporters.sender import Sender
from otel_apimetrics.exporters.settings import (
    REQUIRED,
    Setting,
    certificate,
    directory,
    open_spool,
    read_settings,
    seconds,
    secret,
    url,
    whole,
)
from otel_apimetrics.exporters.vendor import VendorExporter
from otel_apimetrics.redaction import PolicyError
from otel_apimetrics.shortening import shortened
from otel_apimetrics.typing import ResponseHook

if TYPE_CHECKING:
    from otel_apimetrics.recording import Recording

DASHBOARD: Final = "https://dash.readme.com/api"
DOCUMENTATION: Final = "x-documentation-url"
URL: Final = "https://metrics.readme.io"
EXPORT: Final = 10.0
"""Seconds that `export` goes on trying."""
_MOST_LOGS: Final = 30
"""Logs in one request: the most that ReadMe's SDK for Node allows."""
_THEIR_URL: Final = "README_METRICS_SERVER"
"""The variable of ReadMe's own SDKs."""
_PRODUCTION: Final = frozenset({"prod", "production"})

_REMEDIES: Final = {
    401: "OTEL_EXPORTER_README_API_KEY is wrong: copy your project's key from ReadMe's dashboard",
    403: "OTEL_EXPORTER_README_API_KEY may not send logs: look at your plan in ReadMe's dashboard",
}

SETTINGS: Final[Mapping[str, Setting]] = {
    "api_key": Setting(secret, REQUIRED),
    "url": Setting(url),
    "development_mode": Setting(flag),
    "background_worker_mode": Setting(flag, True),
    # ReadMe's own SDK sends bodies of any size.
    "max_body_size": Setting(body_size, MOST_WANTED),
    "buffer_length": Setting(whole(1, 1_000), _MOST_LOGS),
    "denylist": Setting(names, ()),
    "allowlist": Setting(names, ()),
    "allowed_http_hosts": Setting(names, ()),
    "anonymous": Setting(text),
    "documentation_header": Setting(flag, False),
    "base_log_url": Setting(url),
    "dashboard_url": Setting(url, DASHBOARD),
    "timeout": Setting(seconds, 3.0),
    "certificate": Setting(certificate),
    "spool": Setting(directory),
}


class ReadMeSpanExporter(VendorExporter):
    """Sends each exchange with a consumer to ReadMe Metrics, as its own SDK would.

    Args:
        options: `api_key`, and those that docs/exporters/readme.md lists. What is not given is
            read from `OTEL_EXPORTER_README_*`.

    Raises:
        ConfigError: an option is unknown, missing or wrong.
    """

    name: ClassVar[str] = "readme"

    def __init__(self, **options: Any) -> None:
        found = read_settings(self.name, SETTINGS, options)
        base = found["url"] or _their_url() or URL
        key = found["api_key"]
        # RFC 7617: the key is the user, and there is no password.
        credentials = "Basic " + b64encode(f"{key}:".encode("ascii")).decode("ascii")

        def sender(to: str) -> Sender:
            return Sender(
                self.name,
                to,
                headers={"Authorization": credentials},
                timeout=found["timeout"],
                certificate=found["certificate"],
                remedies=_REMEDIES,
            )

        super().__init__(
            sender(base),
            timeout=EXPORT,
            spool=open_spool(found["spool"], self.name, f"{base} {credentials}"),
        )
        self.most_events = found["buffer_length"]
        self._max_body_size: Final[int] = found["max_body_size"]
        self.needs: Final = Needs(bodies=True, headers=True, max_body_size=self._max_body_size)
        if not found["background_worker_mode"]:
            self.on_request = found["timeout"]
        self._lists: Final = _lists(found["denylist"], found["allowlist"])
        self._hosts: Final = frozenset(host.lower() for host in found["allowed_http_hosts"])
        anonymous = found["anonymous"]
        self._anonymous: Final = None if anonymous is None else Consumer(id=anonymous)
        self._own_development: Final[bool | None] = found["development_mode"]
        self._development: Final = _is_development() or False

        self.response_hook: ResponseHook | None = None
        if found["documentation_header"]:
            self._project = Project(sender(found["dashboard_url"]), found["base_log_url"])
            self.response_hook = self._documentation

    def beside_requests(self) -> Sequence[str]:
        """Give the options in use that are about responses."""
        found = {
            "documentation_header": self.response_hook,
            "background_worker_mode": self.on_request,
        }
        return [option for option, follows in found.items() if follows is not None]

    def event(self, exchange: Exchange) -> bytes | None:
        """Translate one exchange; `None` where ReadMe's own SDK logs nothing."""
        if (
            not self._logs(exchange.request)
            or exchange.direction != "incoming"
            or exchange.websocket is not None
        ):
            return None
        consumer = exchange.consumer or self._anonymous
        if consumer is None:
            _guard.warn_once(
                "exporter.readme.consumer",
                "The exporter readme leaves out requests without a consumer: ReadMe shows logs by"
                " who called. Set OTEL_APIMETRICS_IDENTIFY, or OTEL_EXPORTER_README_ANONYMOUS to"
                " the name that they are to have.",
            )
            return None
        shown = shortened(exchange, self._max_body_size)
        said = self._own_development, _is_development(), self._development
        development = next(each for each in said if each is not None)
        return json_bytes(event_of(shown, consumer, self._lists, development=development))

    def parcel(self, events: Sequence[bytes]) -> Parcel:
        """Put logs into the array that ReadMe takes."""
        return Parcel("/v1/request", json_array(events), count=len(events))

    def _logs(self, request: Request) -> bool:
        if request.method == "OPTIONS":
            return False
        return not self._hosts or host_header(request) in self._hosts

    def _documentation(self, recording: "Recording") -> Headers:
        """Give the client the address of its log."""
        base = self._project.base_url() if self._logs(recording.request) else None
        return () if base is None else ((DOCUMENTATION, f"{base}/logs/{log_id(recording.id)}"),)


def _their_url() -> str | None:
    value = os.environ.get(_THEIR_URL, "").strip()
    return url(Given(value, _THEIR_URL)) if value else None


def _is_development() -> bool | None:
    given = deployment.environment()
    return None if given is None else str(given.value).strip().lower() not in _PRODUCTION


def _lists(deny: Sequence[str], allow: Sequence[str]) -> Lists:
    try:
        return Lists(deny, allow)
    except PolicyError as error:
        raise ConfigError(
            "denylist is not accepted: use names, or dotted paths such as users.*.email, where *"
            " stands for a whole step."
        ) from error
