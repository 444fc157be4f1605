"""The listener of a witness: `POST /add-checkpoint` and nothing else (C2SP tlog-witness)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from troth.audit.witness import MAX_REQUEST_BYTES, OtherSize, Witness
from troth.http.protocol import bounded
from troth.http.tls import server_context
from troth.kernel.errors import Invalid, TooLarge, TrothError, Unavailable

SIZE_TYPE = "text/x.tlog.size"
_TEXT = "text/plain; charset=utf-8"
_BODY_SECONDS = 10.0
_WORKERS = 4  # requests wait for the disk and for each other, hardly for the processor
_CONNECTIONS = 64
_OF_ONE_ADDRESS = 16
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def witness_app(witness: Witness) -> Starlette:
    """The ASGI application."""
    workers = ThreadPoolExecutor(_WORKERS, "witness")

    async def add_checkpoint(request: Request) -> Response:
        body = await asyncio.wait_for(_body(request), _BODY_SECONDS)
        lines = await asyncio.get_running_loop().run_in_executor(workers, witness.add_checkpoint, body)
        return Response(lines, media_type=_TEXT, headers=_HEADERS)

    handlers: dict[Any, Any] = {
        TrothError: _refused,
        TimeoutError: _late,
        ClientDisconnect: _late,
        HTTPException: _unrouted,
    }
    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])], exception_handlers=handlers)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises `Unavailable`."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable("The witness cannot listen there; choose another --listen.", code="no-port") from error
    return listener


def require_private(host: str, *, tls: bool) -> None:
    """Raise `Invalid` for an address that others reach without TLS."""
    if not tls and host not in ("127.0.0.1", "::1", "localhost"):
        raise Invalid(
            "Beyond this machine a witness answers with TLS only; give --certificate and --private-key, or listen on "
            "127.0.0.1 behind a proxy.",
            code="no-tls",
        )


def run(app: Starlette, listener: socket.socket, tls: tuple[Path, Path] | None, on_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `tls` is a certificate chain and its private key."""
    config = uvicorn.Config(
        app,
        http=bounded(_OF_ONE_ADDRESS),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
        ssl_context_factory=None if tls is None else lambda _config, _default: server_context(*tls),
    )
    config.load()
    _Announcing(config, on_ready).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_REQUEST_BYTES:
            raise TooLarge("A request to a witness has at most 266,240 bytes.")
        pieces.append(piece)
    return b"".join(pieces)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TrothError)
    if isinstance(error, OtherSize):
        # Not as `media_type`: Starlette would add a charset, and clients compare the whole value.
        return Response(f"{error.size}\n", error.status, headers=_HEADERS | {"content-type": SIZE_TYPE})
    return Response(f"{error.advice}\n", error.status, media_type=_TEXT, headers=_HEADERS)


async def _late(_request: Request, _error: Exception) -> Response:
    return Response("The request did not come in time.\n", 408, media_type=_TEXT, headers=_HEADERS)


async def _unrouted(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Response("A witness answers POST /add-checkpoint.\n", error.status_code, headers=error.headers)
