"""Runs the application on a TLS 1.3 listener. A listener without TLS does not exist (promise CRY-06)."""

from __future__ import annotations

import gc
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from troth.http.protocol import HEAD_SECONDS, bounded
from troth.http.tls import local_certificate, server_context
from troth.kernel.errors import Unavailable
from troth.settings.sections import Data, Server

_BACKLOG = 512
_IDLE_SECONDS = 20
_COLLECT_AFTER = 20_000  # new objects; Python's own 700 is for programs that make few
_OPEN_CONNECTIONS = 512


def certificate_files(data: Data, server: Server) -> tuple[Path | None, Path, Path]:
    """(authority or None, certificate, private key) to serve with."""
    if server.certificate and server.private_key:
        return None, server.certificate, server.private_key
    return local_certificate(data.keys / "tls", server.name)


def listen(server: Server) -> socket.socket:
    """A bound socket. Raises `Unavailable` when the address is taken."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.host, server.port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"Port {server.port} cannot be opened; another program may have it. Set TROTH_SERVER__PORT.", code="no-port"
        ) from error
    return listener


def run(
    app: ASGIApp,
    listener: socket.socket,
    certificate: Path,
    private_key: Path,
    on_ready: Callable[[], None],
    *,
    connections_per_address: int,
) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is called when requests are answered."""

    def context(_config: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        return server_context(certificate, private_key)

    config = uvicorn.Config(
        app,
        loop="troth.http.serve:PatientLoop",
        http=bounded(connections_per_address),
        ws="none",
        log_config=None,  # the journal has the only handler
        access_log=False,
        proxy_headers=False,  # an address in a header is not evidence
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_IDLE_SECONDS,
        limit_concurrency=_OPEN_CONNECTIONS,
        timeout_graceful_shutdown=10,
        ssl_context_factory=context,
    )
    _Announcing(config, on_ready).run(sockets=[listener])


class PatientLoop(uvloop.Loop):
    """uvloop, but who does not finish the TLS handshake is closed as soon as who does not finish a head."""

    async def create_server(self, *arguments: Any, **named: Any) -> Any:
        """As in `asyncio`; uvicorn has no setting for the handshake's time."""
        if named.get("ssl"):
            named.setdefault("ssl_handshake_timeout", HEAD_SECONDS)
        return await super().create_server(*arguments, **named)


class _Announcing(uvicorn.Server):
    """Calls back once it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _settle()
            self._on_ready()


def _settle() -> None:
    """What was built at the start stays; the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
