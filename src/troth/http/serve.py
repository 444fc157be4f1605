"""Runs the application on a TLS 1.3 listener. A listener without TLS does not exist (promise CRY-06)."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from troth.http.allocator import give_back
from troth.http.protocol import HEAD_SECONDS, bounded
from troth.http.tls import local_certificate, server_context
from troth.kernel.errors import Unavailable
from troth.settings.sections import Data, Server

_BACKLOG = 512
_IDLE_SECONDS = 20
_COLLECT_AFTER = 20_000  # new objects; Python's own 700 is for programs that make few
_OPEN_CONNECTIONS = 512


@dataclass(frozen=True, slots=True)
class Mutual:
    """A second door: its socket, and a context that asks every client for a certificate."""

    listener: socket.socket
    context: ssl.SSLContext


def certificate_files(data: Data, server: Server) -> tuple[Path | None, Path, Path]:
    """(authority or None, certificate, private key) to serve with."""
    if server.certificate and server.private_key:
        return None, server.certificate, server.private_key
    return local_certificate(data.keys / "tls", server.name)


def listen(server: Server, port: int | None = None) -> socket.socket:
    """A bound socket, at the server's own port unless another is given. Raises `Unavailable` when it is taken."""
    wanted = server.port if port is None else port
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.host, wanted))
    except OSError as error:
        listener.close()
        setting = "TROTH_SERVER__PORT" if port is None else "TROTH_SERVER__MTLS_PORT"
        raise Unavailable(
            f"Port {wanted} cannot be opened; another program may have it. Set {setting}.", code="no-port"
        ) from error
    return listener


def server(
    app: ASGIApp,
    certificate: Path,
    private_key: Path,
    on_ready: Callable[[], None],
    *,
    connections_per_address: int,
    mutual: Mutual | None = None,
) -> uvicorn.Server:
    """What serves a socket with `run(sockets=[…])` until SIGTERM or SIGINT; `on_ready` is called when it answers."""

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
    return _Announcing(config, on_ready, mutual)


class PatientLoop(uvloop.Loop):
    """uvloop, but who does not finish the TLS handshake is closed as soon as who does not finish a head."""

    async def create_server(self, *arguments: Any, **named: Any) -> Any:
        """As in `asyncio`; uvicorn has no setting for the handshake's time."""
        if named.get("ssl"):
            named.setdefault("ssl_handshake_timeout", HEAD_SECONDS)
        return await super().create_server(*arguments, **named)


class _Announcing(uvicorn.Server):
    """Calls back once it listens, at both doors if there are two."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], mutual: Mutual | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._mutual = mutual

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            if self._mutual is not None:
                await self._open(self._mutual)
            _settle()
            self._on_ready()

    async def _open(self, mutual: Mutual) -> None:
        """uvicorn has one TLS context for all its sockets; this one has another, and the same application."""

        def protocol() -> asyncio.Protocol:
            kind: Any = self.config.http_protocol_class
            made: asyncio.Protocol = kind(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        loop, backlog = asyncio.get_running_loop(), self.config.backlog
        self.servers.append(
            await loop.create_server(protocol, sock=mutual.listener, ssl=mutual.context, backlog=backlog)
        )


def _settle() -> None:
    """What was built at the start stays; the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    give_back()
