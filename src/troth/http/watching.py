"""Watches each exchange from outside: route template, status and time, for metrics, traces and the access log.

Neither address, query, path nor header is looked at, and a `traceparent` from outside begins nothing: whoever could
choose the id of a trace could make lines of other people look like theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from troth.kernel.journal import Journal
from troth.kernel.watch import Kind, Watch

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CATCHES_ALL = "/{rest:path}"


def templates(routes: Iterable[BaseRoute]) -> frozenset[str]:
    """The path templates of an application; what catches the rest is none."""
    return frozenset(one.path for one in routes if isinstance(one, Route)) - {_CATCHES_ALL}


@dataclass(frozen=True, slots=True)
class Watching:
    """Where spans go, and a line for each request (`access`), if anywhere. `learn` is told the templates there are."""

    watch: Watch
    access: Journal | None
    learn: Callable[[frozenset[str]], None]


class Watched:
    """Wraps the application, whose route templates are `known`; any other address is "other"."""

    def __init__(self, app: ASGIApp, watching: Watching, known: frozenset[str]) -> None:
        self._app = app
        self._watch = watching.watch
        self._access = watching.access
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        span, began = self._watch.begin(Kind.REQUEST, OTHER), time.perf_counter()
        seen = _Seen()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.look(message)
            await send(message)

        try:
            with span.active():
                await self._app(scope, receive, watched)
        finally:
            route = self._template(scope)
            if self._access is not None:
                with span.active():  # the line names the trace
                    self._line(self._access, scope, seen, (route, time.perf_counter() - began))
            span.add("status", seen.status)
            span.end("done" if 0 < seen.status < 500 else "failed", route)

    def _template(self, scope: Scope) -> str:
        path = getattr(scope.get("route"), "path", OTHER)
        return path if path in self._known else OTHER

    def _line(self, access: Journal, scope: Scope, seen: _Seen, took: tuple[str, float]) -> None:
        route, seconds = took
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        request = {"request": seen.request} if seen.request else {}
        ms = round(seconds * 1000)
        access.event("access", route=route, method=method, status=seen.status, ms=ms, **request)


class _Seen:
    """What an answer's head says of itself."""

    __slots__ = ("request", "status")

    def __init__(self) -> None:
        self.status = 0
        self.request = ""

    def look(self, message: Message) -> None:
        self.status = int(message["status"])
        for name, value in message["headers"]:
            if name == b"x-request-id":
                self.request = value.decode("latin-1")
