"""The ASGI application: operations, portal, health; the same security headers on every answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from troth.http.insider import insider
from troth.http.openapi import document
from troth.http.problems import problem
from troth.http.routes import Door, routes
from troth.http.scim import is_scim_path, scim_problem
from troth.http.table import FixedPaths
from troth.http.watching import Watched, Watching, templates
from troth.kernel.errors import NotFound, TrothError, WrongMethod
from troth.kernel.ids import new_id

_WORKER_THREADS = 16  # operations wait on disk and record; they hold no core while they do

_HEADERS = [
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"origin-agent-cluster", b"?1"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), interest-cohort=()"),
]
_DEFAULT_CSP = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
)
_ADDED = (*_HEADERS, _DEFAULT_CSP)


class Headers:
    """Adds the security headers; a page may bring a content security policy of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _ADDED if pair[0] not in present)]
            await send(message)

        await self._app(scope, receive, with_headers)


def create_app(
    door: Door,
    *,
    ready: Callable[[], tuple[dict[str, bool], bool]],
    start: Callable[[], None],
    stop: Callable[[], None],
    close: Callable[[], Awaitable[None]] | None = None,
    pages: Sequence[BaseRoute] = (),
    watching: Watching | None = None,
) -> ASGIApp:
    """The whole application. `start`, `close` and `stop` frame its life.

    `ready` gives the parts by name, and whether all that must work does; within two seconds, on a worker thread.
    """

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_WORKER_THREADS, "operation"))
        await asyncio.to_thread(start)
        try:
            yield
        finally:
            if close is not None:
                await close()
            await asyncio.to_thread(stop)

    async def livez(_request: Request) -> Response:
        return JSONResponse({"live": True})

    async def readyz(request: Request) -> Response:
        known = await _counted(door, request)
        parts, all_needed = await asyncio.to_thread(ready)
        told: dict[str, bool] = parts if known else {"ready": all_needed}
        return JSONResponse(told, 200 if all_needed else 503)

    @cache
    def described() -> bytes:  # a third of a second that no start need wait for
        return bytes(JSONResponse(document(door.dispatcher.registry)).body)

    async def openapi(_request: Request) -> Response:
        return Response(await asyncio.to_thread(described), media_type="application/json")

    health = [Route("/livez", livez), Route("/readyz", readyz), Route("/openapi.json", openapi)]
    handlers: dict[Any, Any] = {HTTPException: _unrouted, TrothError: _refused}
    table = [*health, *routes(door), *pages]
    app = Headers(Starlette(routes=[FixedPaths(table), *table], lifespan=life, exception_handlers=handlers))
    if watching is None:
        return app
    known = templates(table)
    watching.learn(known)
    return Watched(app, watching, known)


async def _counted(door: Door, request: Request) -> bool:
    """Whether somebody may see the parts; who may not counts as a stranger. Raises `TooMany`."""
    known = await insider(door, request)
    if not known:
        door.rate.check_stranger(request)
    return known


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = WrongMethod if error.status_code == 405 else NotFound
    advice = "There is nothing at this address, or not for this method."
    rendered = scim_problem if is_scim_path(request.url.path) else problem
    response = rendered(refusal(advice, code="no-route"), new_id("req"))
    response.headers.update(error.headers or {})
    return response


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TrothError)
    return problem(error, new_id("req"))
