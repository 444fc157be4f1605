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

from troth.http.openapi import document
from troth.http.problems import problem
from troth.http.routes import Door, routes
from troth.http.table import FixedPaths
from troth.kernel.errors import NotFound, TrothError, WrongMethod
from troth.kernel.ids import new_id

_WORKER_THREADS = 16  # operations wait on disk and record; they hold no core while they do
_DEGRADED = frozenset({"key-domains"})  # shown by readiness: reads and live erasure go on without

_HEADERS = [
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), interest-cohort=()"),
]
_DEFAULT_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
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
    ready: Callable[[], dict[str, bool]],
    start: Callable[[], None],
    stop: Callable[[], None],
    close: Callable[[], Awaitable[None]] | None = None,
    pages: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The whole application. `ready` names what must work; `start`, `close` and `stop` frame its life."""

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

    async def readyz(_request: Request) -> Response:
        parts = await asyncio.to_thread(ready)
        needed = (works for part, works in parts.items() if part not in _DEGRADED)
        return JSONResponse(parts, 200 if all(needed) else 503)

    @cache
    def described() -> bytes:  # a third of a second that no start need wait for
        return bytes(JSONResponse(document(door.dispatcher.registry)).body)

    async def openapi(_request: Request) -> Response:
        return Response(await asyncio.to_thread(described), media_type="application/json")

    health = [Route("/livez", livez), Route("/readyz", readyz), Route("/openapi.json", openapi)]
    handlers: dict[Any, Any] = {HTTPException: _unrouted, TrothError: _refused}
    table = [*health, *routes(door), *pages]
    return Headers(Starlette(routes=[FixedPaths(table), *table], lifespan=life, exception_handlers=handlers))


async def _unrouted(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = WrongMethod if error.status_code == 405 else NotFound
    advice = "There is nothing at this address, or not for this method."
    response = problem(refusal(advice, code="no-route"), new_id("req"))
    response.headers.update(error.headers or {})
    return response


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TrothError)
    return problem(error, new_id("req"))
