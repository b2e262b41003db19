"""Which requests starlette_exporter's names are measured with, and by which labels."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request

from otel_apimetrics.prometheus.asgi_routes import Scope, find
from otel_apimetrics.prometheus.label_values import LabelValues

UNKNOWN: Final = "__unknown__"
"""The path of requests that no route serves, where such are grouped."""
_PLAIN: Final = re.compile(r"/(?!/)[A-Za-z0-9/._~-]*")
Headers = Mapping[str, str]
"""Of a response, by their names in small letters."""
Exemplify = Callable[[Request], "Mapping[str, Any] | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Which requests are measured, and how they are labelled."""

    app_name: str = "starlette"
    group_paths: bool = True
    """The path is the template of the route."""
    filter_unhandled_paths: bool = True
    """Requests that no route serves are left out, and those whose method no route has."""
    group_unhandled_paths: bool = False
    """Their path is `UNKNOWN`."""
    skip_paths: Sequence[re.Pattern[str]] = ()
    """Matched with whole paths."""
    skip_methods: Sequence[str] = ()
    always_use_int_status: bool = False
    request_labels: Mapping[str, Any] = field(default_factory=dict)
    """Values, or callables that get the request; they may be coroutine functions."""
    response_labels: Mapping[str, Callable[[Headers], Any]] = field(default_factory=dict)
    more_labels: LabelValues | None = None
    """Further labels: values, or callables that get nothing or the response."""
    exemplars: Exemplify | None = None
    group_by: Callable[[Request], Any] | None = None
    """Gives the path, in the place of the template."""

    def path(self, request: Request) -> str:
        """Give the path of a request below the app's root."""
        scope = request.scope
        path, root = scope["path"], scope.get("app_root_path", scope.get("root_path", ""))
        if not _PLAIN.fullmatch(path) or (root and not _PLAIN.fullmatch(root)):
            # In a URL they become others.
            path, root = request.url.path, request.base_url.path
        return str(path).removeprefix(root.rstrip("/"))

    def is_skipped(self, path: str, method: str) -> bool:
        """Tell whether a request is left out from its beginning."""
        return method in self.skip_methods or any(one.fullmatch(path) for one in self.skip_paths)

    def label(self, scope: Scope, before: Scope, path: str, inside: Any) -> str | None:
        """Give the label `path` of a request that is over; `None` where it is left out.

        Args:
            scope: of the request, as routers have left it.
            before: as it was.
            path: below the app's root.
            inside: what serves it.
        """
        if not (self.filter_unhandled_paths or self.group_paths or self.group_unhandled_paths):
            return path
        found = None
        if scope.get("endpoint") and scope.get("router"):
            found = find(before, _routes(scope, before, inside))
        if found is None or not found.is_full:
            if self.filter_unhandled_paths:
                return None
            return UNKNOWN if self.group_unhandled_paths else path
        return found.template if self.group_paths else path


def _routes(scope: Scope, before: Scope, inside: Any) -> Any:
    """Give the routes that a request was led by from here on."""
    if "router" not in before:
        return scope["router"].routes
    # The router is that of an app around this one, which has led here by what `before` leaves out.
    return getattr(inside, "routes", None) or getattr(before.get("app"), "routes", ())
