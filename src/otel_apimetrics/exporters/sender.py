"""One HTTP sender for all backends: attempts, pauses between them, and what is logged of them."""

import gzip
import os
import random
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from time import monotonic
from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_apimetrics import _guard
from otel_apimetrics.config import ConfigError
from otel_apimetrics.exporters.parcel import RETRIED, Answer, Parcel
from otel_apimetrics.exporters.patience import Patience
from otel_apimetrics.exporters.retry_after import asked_rest
from otel_apimetrics.version import __version__

CONNECT: Final = 5.0
"""Seconds to connect, at most."""
FIRST_PAUSE: Final = 0.5
"""Seconds before the second attempt, doubled for each further one."""
LONGEST_PAUSE: Final = 30.0
_READ: Final = 64 * 1024
LEVEL: Final = 1
"""Of gzip: the next levels take three times as long for a tenth of the bytes."""
_PREPARED: Final = 16
"""Requests that are remembered without their bodies, by method and address."""
_WORTH_GZIP: Final = 512
"""Bytes from which on a body is sent with a content-coding."""

_REMEDIES: Final = {
    400: "its protocol may have changed: look for a newer otel-apimetrics",
    401: "the credentials are wrong",
    403: "the credentials are not allowed to send",
    404: "the address is wrong",
    413: "its limit of a request's size is lower than expected",
}

_HINTS: Final = {
    "SSLError": " Name a private authority's file as its certificate, or in REQUESTS_CA_BUNDLE.",
    "OSError": " Look whether the file is there that REQUESTS_CA_BUNDLE names.",
    "ProxyError": " Look at HTTPS_PROXY and NO_PROXY.",
}
"""What to do, by the error that the HTTP client raises."""


def require_client(name: str) -> None:
    """Import the HTTP client, while the exporter is made.

    Not later: a process that is forked while another thread imports has half a module.

    Args:
        name: of the exporter.

    Raises:
        ConfigError: it is missing.
    """
    try:
        import requests  # noqa: F401

        from otel_apimetrics.exporters import connections  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"The exporter {name} needs the package requests: install otel-apimetrics[vendors]."
        ) from error


class Sender:
    """Sends parcels to one backend. Safe between threads and forks; one connection a thread.

    Proxies and CA bundles come from the environment, as users of `requests` expect:
    `HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`, as they are when a thread sends first.

    Args:
        name: of the exporter, for log lines.
        base_url: what the paths of parcels are put behind.
        headers: of each request, credentials among them.
        timeout: seconds that an attempt has to send, and again for the whole answer.
        compress: send bodies with gzip.
        remedies: what to do, by status, in plain words, for those that are not tried again.
        secret_path: between the base URL and the paths of parcels, for vendors whose credentials
            are a part of the path. It is in no log line.
        certificate: file (PEM) of the authorities that are trusted instead of those of the
            environment.

    Raises:
        ConfigError: the package `requests` is missing.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        timeout: float = 10.0,
        compress: bool = False,
        remedies: Mapping[int, str] | None = None,
        secret_path: str = "",
        certificate: Path | None = None,
    ) -> None:
        require_client(name)
        self.name: Final = name
        self.base_url: Final = base_url.rstrip("/")
        self._root: Final = self.base_url + secret_path
        self._headers: Final = {
            "User-Agent": f"otel-apimetrics/{__version__}",
            "Accept-Encoding": "identity",  # no answer is worth its inflating
            **headers,
        }
        self._timeout: Final = timeout
        self._verify: Final = None if certificate is None else str(certificate)
        self._compress: Final = compress
        self._remedies: Final = {**_REMEDIES, **(remedies or {})}
        self._local: Final = threading.local()
        self._busy_since: float | None = None

    def send(self, parcel: Parcel, patience: Patience, errors: int | None = None) -> Answer:
        """Send a parcel until the backend takes or refuses it, or the time is over.

        With `errors`, no further than so many attempts without an answer or with an error of the
        backend's own.

        Never raises what a network does. An attempt is cut off where the patience ends; once it
        has, none is made.
        """
        if patience.left() <= 0:
            return Answer(None, {}, b"", attempts=0)
        body, coding = self._coded(parcel)
        headers = {**self._headers, **dict(parcel.headers), **coding}
        pause, failed, attempts = FIRST_PAUSE, 0, 0
        while True:
            is_last = patience.hurried
            attempts += 1
            answer = replace(self._attempt(parcel, body, headers, patience), attempts=attempts)
            if answer.status is not None and answer.status not in RETRIED:
                self._busy_since = None
                if answer.refused:
                    self._tell(answer)
                return answer
            if answer.status is not None:
                self._tell_busy(answer.status)
            asked = asked_rest(answer)
            # Jitter keeps workers that failed together from coming back together. A backend may ask
            # for a longer pause, not for none: `Retry-After: 0` would have us send without end.
            wait = max(pause * random.uniform(0.5, 1.0), asked)  # noqa: S311
            failed += answer.failing or answer.away
            if is_last or failed == errors or not patience.wait(wait):
                return answer
            pause = min(pause * 2, LONGEST_PAUSE)

    def fetch(
        self,
        path: str,
        patience: Patience,
        headers: Mapping[str, str] | None = None,
        *,
        most: int = _READ,
    ) -> Answer:
        """Ask for something with GET, once.

        Args:
            path: behind the base URL.
            patience: how long the answer may take.
            headers: besides those of each request.
            most: bytes of the answer that are read.
        """
        return self._attempt(
            Parcel(path, b"", (), method="GET"),
            None,
            {**self._headers, **(headers or {})},
            patience,
            most,
        )

    def _attempt(
        self,
        parcel: Parcel,
        body: bytes | None,
        headers: dict[str, str],
        patience: Patience,
        most: int = _READ,
    ) -> Answer:
        from otel_apimetrics.exporters.connections import LEAST, beginning

        read = min(self._timeout, max(patience.left(), LEAST))
        try:
            session, limit = self._session(), self._local.limit
            limit.begin(read, patience)
            with (
                suppress_instrumentation(),
                session.send(
                    self._request(parcel, body, headers),
                    timeout=(min(CONNECT, read), read),
                    # A POST that is led elsewhere becomes a GET, or loses its credentials.
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                told = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, told, beginning(response, limit, most))
        except Exception as error:
            _guard.warn(
                f"sender.{self.name}",
                "The exporter %s cannot reach %s (%s). It tries again; what does not fit into its"
                " queue meanwhile is dropped and counted in apimetrics.exporter.dropped.%s",
                self.name,
                self.base_url,
                type(error).__qualname__,
                _HINTS.get(type(error).__qualname__, ""),
            )
            return Answer(None, {}, b"")

    def _request(self, parcel: Parcel, body: bytes | None, headers: Mapping[str, str]) -> Any:
        request = self._local.prepared(parcel.method, self._root + parcel.path).copy()
        request.headers.update(headers)
        if body is not None:
            request.body = body
            request.headers["Content-Length"] = str(len(body))
        return request

    def _session(self) -> Any:
        """Give this thread's session: a forked worker must not share its parent's connections."""
        import requests

        from otel_apimetrics.exporters import connections

        local, pid = self._local, os.getpid()
        if getattr(local, "pid", None) != pid:
            limit = connections.Limit()
            session = connections.session(limit)
            # Once: to look through the environment takes as long as all else of a request.
            found = session.merge_environment_settings(self.base_url, {}, None, self._verify, None)
            session.proxies, session.verify = found["proxies"], found["verify"]
            # Nor is a `.netrc` looked for: it would override our credentials.
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            local.session, local.limit, local.pid = session, limit, pid
            # To prepare a request takes as long as a third of sending it: few differ but in bodies.
            local.prepared = lru_cache(_PREPARED)(
                lambda method, url: session.prepare_request(requests.Request(method, url))
            )
        return local.session

    def _coded(self, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        # Without a time in it, the same body has the same bytes.
        if parcel.packed:
            return gzip.compress(parcel.body, LEVEL, mtime=0), {}
        if not self._compress or len(parcel.body) < _WORTH_GZIP:
            return parcel.body, {}
        return gzip.compress(parcel.body, LEVEL, mtime=0), {"Content-Encoding": "gzip"}

    def _tell_busy(self, status: int) -> None:
        """Tell of an answer that may be another one later, unless it is the first such."""
        now = monotonic()
        if self._busy_since is None:
            self._busy_since = now
            return
        _guard.warn(
            f"sender.{self.name}.busy",
            "%s has taken nothing from the exporter %s for %d s; it answers %d. It is asked again"
            " after growing pauses. What fits into neither queue nor spool meanwhile is counted in"
            " apimetrics.exporter.dropped and apimetrics.exporter.failed. Look at the backend%s.",
            self.base_url,
            self.name,
            max(now - self._busy_since, 1),
            status,
            ", or lower sample_rate" if status == 429 else "",  # noqa: PLR2004  RFC 6585 4
        )

    def _tell(self, answer: Answer) -> None:
        status = answer.status or 0
        remedy = self._remedies.get(status, "look at the backend")
        if 300 <= status < 400:  # noqa: PLR2004  RFC 9110 15.4
            remedy = "it has moved: set the address that it names"
        _guard.warn(
            f"sender.{self.name}.{status}",
            "%s answered %d to the exporter %s: %s. A record that it refuses is not sent again, and"
            " counted in apimetrics.exporter.failed.",
            self.base_url,
            status,
            self.name,
            remedy,
        )
