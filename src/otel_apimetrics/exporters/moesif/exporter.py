"""Delivers to Moesif."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_apimetrics.config.hooks import hook
from otel_apimetrics.config.values import body_size, flag, text
from otel_apimetrics.exchange import Exchange, Headers
from otel_apimetrics.exporters.json_bytes import json_array, json_bytes
from otel_apimetrics.exporters.moesif.documents import configuration, rules
from otel_apimetrics.exporters.moesif.event import MAX_EVENT, event, transaction_id
from otel_apimetrics.exporters.moesif.governance import Governance
from otel_apimetrics.exporters.moesif.sampling import Sampling
from otel_apimetrics.exporters.needs import Needs
from otel_apimetrics.exporters.parcel import Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
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
)
from otel_apimetrics.exporters.vendor import VendorExporter
from otel_apimetrics.typing import ResponseHook

if TYPE_CHECKING:
    from otel_apimetrics.recording import Recording

_TRANSACTION_ID: Final = "x-moesif-transaction-id"
_JSON: Final = (("Content-Type", "application/json; charset=utf-8"),)
_UNPAID: Final = "the subscription is not active: look at it in Moesif"
SETTINGS: Final = {
    "application_id": Setting(secret, REQUIRED),
    "base_uri": Setting(url, "https://api.moesif.net"),
    "api_version": Setting(text),
    "max_body_size": Setting(body_size, 100_000),
    "dynamic_sampling": Setting(flag, default=True),
    "transaction_id_header": Setting(flag, default=False),
    "governance": Setting(flag, default=False),
    "skip": Setting(hook),
    "timeout": Setting(seconds, 10.0),
    "certificate": Setting(certificate),
    "spool": Setting(directory),
}


class MoesifSpanExporter(VendorExporter):
    """Sends each exchange as an event to Moesif, in batches with gzip.

    Args:
        options: keywords, each with a variable `OTEL_EXPORTER_MOESIF_*`:

            - `application_id`: the Collector Application Id, from Moesif's settings. Required.
            - `base_uri`: of Moesif or a proxy of theirs, without `/v1`.
            - `api_version`: put into each event.
            - `max_body_size`: bytes of a body; larger ones are cut, and are text that says so.
            - `dynamic_sampling`: follow the rates that are set in Moesif.
            - `transaction_id_header`: send clients `x-moesif-transaction-id`, the event's id.
            - `governance`: follow Moesif's governance rules: add their headers to responses, and
              answer in the app's place where they block.
            - `skip`: callable of the redacted exchange, or its import path: what Moesif does not
              get.
            - `timeout`: seconds that Moesif may take to answer.
            - `certificate`: file (PEM) of the authorities that are trusted to know Moesif.
            - `spool`: directory where batches wait for Moesif to come back.

    Raises:
        ConfigError: an option is unknown, missing or not accepted.
    """

    name: ClassVar[str] = "moesif"
    most_bytes: ClassVar[int] = 10 * MAX_EVENT

    def __init__(self, **options: Any) -> None:
        chosen = read_settings(self.name, SETTINGS, options)
        key, base = chosen["application_id"], chosen["base_uri"]
        sender = Sender(
            self.name,
            base,
            headers={"X-Moesif-Application-Id": key},
            timeout=chosen["timeout"],
            certificate=chosen["certificate"],
            compress=True,
            remedies={
                401: "look at OTEL_EXPORTER_MOESIF_APPLICATION_ID (application_id)",
                402: _UNPAID,
                403: "look at OTEL_EXPORTER_MOESIF_APPLICATION_ID (application_id)",
                404: "look at OTEL_EXPORTER_MOESIF_BASE_URI (base_uri): it has no /v1",
            },
        )
        spool = open_spool(chosen["spool"], self.name, f"{base} {key}")
        super().__init__(sender, timeout=chosen["timeout"], spool=spool)
        self._api_version: Final[str | None] = chosen["api_version"]
        self._max_body_size: Final[int] = chosen["max_body_size"]
        self.needs: Final = Needs(bodies=True, headers=True, max_body_size=self._max_body_size)
        self._skip: Final[Callable[[Exchange], object] | None] = chosen["skip"]
        self._sampling: Final = Sampling() if chosen["dynamic_sampling"] else None
        self.governor: Final = Governance() if chosen["governance"] else None
        followers = (self._sampling, self.governor)
        reads = [each.read_config for each in followers if each is not None]
        self._config: Final = configuration(sender, *reads)
        self._rules: Final = (
            None if self.governor is None else rules(sender, self.governor.read_rules)
        )
        self._wants_config: Final = bool(reads)
        self.response_hook: ResponseHook | None = None
        if chosen["transaction_id_header"]:
            self.response_hook = transaction_id_header

    def beside_requests(self) -> Sequence[str]:
        """Give the options in use that are about responses."""
        found = {"governance": self.governor, "transaction_id_header": self.response_hook}
        return [option for option, follows in found.items() if follows is not None]

    def event(self, exchange: Exchange) -> bytes | None:
        """Give Moesif's event, unless `skip` or the rates leave the exchange out."""
        if self._skip is not None and self._skip(exchange):
            return None
        sampling = self._sampling
        thinned = exchange if sampling is None else sampling.thinned(exchange)
        if thinned is None:
            return None
        return event(thinned, api_version=self._api_version, max_body_size=self._max_body_size)

    def parcel(self, events: Sequence[bytes]) -> Parcel:
        """Put events into one batch."""
        return Parcel("/v1/events/batch", json_array(events), _JSON, count=len(events))

    def begin(self, patience: Patience) -> None:
        """Ask Moesif for its rates and rules where that is due."""
        came = self._wants_config and self._config.refresh(patience)
        if self._rules is not None:
            if came:  # who is in the cohort of a new rule is told before the rule is
                self._rules.ask_again()
            self._rules.refresh(patience)

    def answered(self, answer: Answer) -> None:
        """Note whether Moesif has other rates or rules now."""
        self._config.look_at(answer)
        if self._rules is not None:
            self._rules.look_at(answer)

    def update_user(self, user: Mapping[str, Any]) -> bool:
        """Tell Moesif about a user (`user_id`, `metadata`, ...). See `update_users`."""
        return self._update("/v1/users", _told("user", user))

    def update_users(self, users: Sequence[Mapping[str, Any]]) -> bool:
        """Tell Moesif about users; what it knows of each is merged with what is given.

        Blocks up to the timeout, and tries again meanwhile. Never raises what a network does.

        Returns:
            True where Moesif took it.

        Raises:
            TypeError: what is given is no mapping, or no list of them.
        """
        return self._update("/v1/users/batch", _all_told("users", "user", users))

    def update_company(self, company: Mapping[str, Any]) -> bool:
        """Tell Moesif about a company (`company_id`, ...). See `update_users`."""
        return self._update("/v1/companies", _told("company", company))

    def update_companies(self, companies: Sequence[Mapping[str, Any]]) -> bool:
        """Tell Moesif about companies. See `update_users`."""
        return self._update("/v1/companies/batch", _all_told("companies", "company", companies))

    def update_subscription(self, subscription: Mapping[str, Any]) -> bool:
        """Tell Moesif about a subscription (`subscription_id`, `company_id`, ...)."""
        return self._update("/v1/subscriptions", _told("subscription", subscription))

    def update_subscriptions(self, subscriptions: Sequence[Mapping[str, Any]]) -> bool:
        """Tell Moesif about subscriptions. See `update_users`."""
        return self._update(
            "/v1/subscriptions/batch", _all_told("subscriptions", "subscription", subscriptions)
        )

    def _update(self, path: str, told: object) -> bool:
        parcel = Parcel(path, json_bytes(told), _JSON)
        return self._sender.send(parcel, self._patience.within(self._timeout)).taken


def _told(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{kind} is of type {type(given).__name__}: give a mapping, such as"
            f' {{"{kind}_id": "...", "metadata": {{}}}}'
        )
    return dict(given)


def _all_told(argument: str, kind: str, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(
            f"{argument} is of type {type(given).__name__}: give a list of mappings, such as"
            f' [{{"{kind}_id": "..."}}]'
        )
    return [_told(kind, each) for each in given]


def transaction_id_header(recording: "Recording") -> Headers:
    """Give the line that tells a client the id of its event in Moesif; a `ResponseHook`."""
    return ((_TRANSACTION_ID, transaction_id(recording.id)),)
