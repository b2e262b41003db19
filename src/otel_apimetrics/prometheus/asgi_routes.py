"""Templates of routes, found in the routes of Starlette's and FastAPI's apps."""

from collections.abc import Iterable, Iterator, MutableMapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from starlette._utils import get_route_path
from starlette.routing import Match

Scope = MutableMapping[str, Any]
_PLAIN: Final = {
    *(("starlette.routing", name) for name in ("Route", "Mount", "WebSocketRoute")),
    *(("fastapi.routing", name) for name in ("APIRoute", "APIWebSocketRoute")),
}
"""Classes of routes that lead nowhere if their pattern does not match."""


class Found(NamedTuple):
    """A route that a request leads to."""

    template: str
    """With the templates of the mounts that lead there. The path of a mount alone where what is
    mounted has no routes to look at."""
    is_full: bool
    """False: the path leads there, the method does not."""


def find(scope: Scope, routes: Iterable[Any]) -> Found | None:
    """Find the route that a router would choose.

    Args:
        scope: of the request, as the router gets it.
        routes: of the router.
    """
    partial: Found | None = None
    for route in _possible(routes, get_route_path(scope)):
        match, inner = route.matches(scope)
        if match == Match.FULL:
            return _inside(route, {**scope, **inner})
        if match == Match.PARTIAL and partial is None:
            partial = _inside(route, {**scope, **inner})
    return None if partial is None else Found(partial.template, is_full=False)


def _possible(routes: Iterable[Any], path: str) -> Iterator[Any]:
    """Give the routes that a path may lead to, which the patterns of most tell at once.

    Routes that are the app's own may look at more than the path.
    """
    for route in routes:
        kind: Any = type(route)
        if not _is_plain(kind):
            yield from flat((route,))
        elif route.path_regex.match(path) is not None:
            yield route


@lru_cache(maxsize=256)
def _is_plain(kind: type) -> bool:
    return (kind.__module__, kind.__qualname__) in _PLAIN


def _inside(route: Any, scope: Scope) -> Found | None:
    # A host has no path, and what is mounted at a host or a path may have no routes.
    path = getattr(route, "path", None) or ""
    routes = getattr(route, "routes", None)
    if not routes:
        return Found(path, is_full=True) if path else None
    found = find(scope, routes)
    return None if found is None else Found(path + found.template, found.is_full)


def flat(routes: Iterable[Any]) -> Iterator[Any]:
    """Give routes with those of routers that FastAPI keeps whole, each with its whole template."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        for one in (route,) if contexts is None else contexts():
            yield getattr(one, "starlette_route", None) or one


def is_redirected(scope: Scope, app: Any) -> bool:
    """Tell whether an app sends a request, which no route serves, on to one with another slash."""
    path = scope["path"]
    other = path[:-1] if path.endswith("/") else f"{path}/"
    if not other or not getattr(getattr(app, "router", None), "redirect_slashes", False):
        return False
    return find({**scope, "path": other}, app.routes) is not None
