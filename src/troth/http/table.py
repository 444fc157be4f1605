"""Routes whose path is fixed, found by one look into a table: a list of a hundred patterns costs as much as a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send


class FixedPaths(BaseRoute):
    """Stands before the routes that it knows. What it does not find, by path and method, is left to them."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._table: dict[str, list[Route]] = {}
        for route in routes:
            if isinstance(route, Route) and not route.param_convertors:
                self._table.setdefault(route.path, []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match of a known route, or none."""
        for route in self._table.get(scope["path"], ()) if scope["type"] == "http" else ():
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, "route": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to the route that matched."""
        route: Route = scope["route"]
        await route.handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """No name is found here: the routes themselves stand in the list. Raises `NoMatchFound`."""
        raise NoMatchFound(name, path_params)
