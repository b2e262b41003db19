"""Templates of routes, found in the routes of Starlette's and FastAPI's apps."""

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, NamedTuple

from starlette._utils import get_route_path
from starlette.routing import Match

Scope = MutableMapping[str, Any]
_own: dict[type, bool] = {}
"""Whether a class of routes is one of the frameworks'."""


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
    path = get_route_path(scope)
    for route in flat(routes):
        if _is_elsewhere(route, path):
            continue
        match, inner = route.matches(scope)
        if match == Match.FULL:
            return _inside(route, {**scope, **inner})
        if match == Match.PARTIAL and partial is None:
            partial = Found(route.path, is_full=False)
    return partial


def _is_elsewhere(route: Any, path: str) -> bool:
    """Tell at once of most routes that a path does not lead there.

    Of routes that are the frameworks' own: others may look at more than the path.
    """
    kind = type(route)
    if kind not in _own:
        _own[kind] = kind.__module__ in {"starlette.routing", "fastapi.routing"}
    if not _own[kind]:
        return False
    pattern = getattr(route, "path_regex", None)
    return pattern is not None and pattern.match(path) is None


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
