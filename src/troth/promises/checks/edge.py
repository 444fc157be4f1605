"""Promises about the channel: real handshakes with the listener, and with one that is deliberately too old."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace

from troth.kernel.operation import Group
from troth.promises.check import Check, Facts, counted
from troth.promises.system import Listener, System

_NOT_LISTENING = Facts(population=1, tested=0, broken=0)  # could not look: an error, never a pass
_SECONDS = 5


def _handshake(listener: Listener, version: ssl.TLSVersion) -> bool:
    context = _client(listener)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # asking for an old version is the point
        context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection((listener.host, listener.port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=listener.name) as secured,
        ):
            return secured.version() is not None
    except OSError:
        return False


def _client(listener: Listener) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(listener.authority) if listener.authority else None)


def _versions(listener: Listener | None) -> Facts:
    if listener is None:
        return _NOT_LISTENING
    ports = [port for port in (listener.port, listener.mtls_port) if port is not None]
    doors = [replace(listener, port=port) for port in ports]
    new = [_handshake(door, ssl.TLSVersion.TLSv1_3) for door in doors]
    return counted([*new, *(not _handshake(door, ssl.TLSVersion.TLSv1_2) for door in doors)])


def _too_old(system: System) -> Facts:
    listener = system.door.listener
    if listener is None:
        return _NOT_LISTENING
    with _lax_listener(listener) as lax:
        return _versions(lax)


@contextlib.contextmanager
def _lax_listener(like: Listener) -> Iterator[Listener]:
    """The known-bad fixture: the same certificate behind TLS 1.2, and an answer for everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(like.certificate, like.private_key)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(_SECONDS)
    stopping = threading.Event()
    thread = threading.Thread(target=_answer_all, args=(server, context, stopping), daemon=True)
    thread.start()
    try:
        yield replace(like, host="127.0.0.1", port=server.getsockname()[1], mtls_port=None)
    finally:
        stopping.set()
        server.close()
        thread.join(_SECONDS)


def _answer_all(server: socket.socket, context: ssl.SSLContext, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            plain, _ = server.accept()
            plain.settimeout(_SECONDS)
            with context.wrap_socket(plain, server_side=True) as secured:
                if secured.recv(65536):
                    secured.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        except OSError:
            continue


def _unnamed_requests(system: System, listener: Listener | None) -> Facts:
    """Every route that needs an identity, called over the network from this machine without one.

    What the limit of requests answered (429) says nothing of its route, and counts as not looked at.
    """
    if listener is None:
        return _NOT_LISTENING
    routes = [
        (route.method, route.path)
        for operation in system.dispatcher.registry
        if (route := operation.declaration.route) is not None
        and operation.declaration.group not in (Group.PUBLIC, Group.SIGN_IN)
    ]
    of_one = _of_one(system)
    statuses = [
        _status(listener, method, path, _source(listener, number // of_one))
        for number, (method, path) in enumerate(routes)
    ]
    told = [status for status in statuses if status != 429]
    return Facts(len(routes), len(told), sum(status != 401 for status in told))


def _of_one(system: System) -> int:
    """How many routes one address asks for: half of what a stranger may in a minute."""
    return max(1, system.base.settings.server.anonymous_per_minute // 2)


def _source(listener: Listener, number: int) -> str | None:
    """One of this machine's own addresses, so that no stranger at 127.0.0.1 loses what is theirs to ask."""
    try:
        plain = ipaddress.ip_address(listener.host).version == 4
    except ValueError:
        return None
    return f"127.0.{number // 250}.{number % 250 + 2}" if plain else None


def _status(listener: Listener, method: str, path: str, source: str | None) -> int:
    connection = http.client.HTTPSConnection(
        listener.host,
        listener.port,
        timeout=_SECONDS,
        source_address=(source, 0) if source else None,
        context=_named(_client(listener), listener),
    )
    try:
        place = path.replace("{", "").replace("}", "").partition(":")[0]
        connection.request(method, place, headers={"host": listener.name})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _named(context: ssl.SSLContext, listener: Listener) -> ssl.SSLContext:
    """Addresses stand in the local certificate; a public one names the host only."""
    context.check_hostname = listener.authority is not None
    return context


def _lax_requests(system: System) -> Facts:
    listener = system.door.listener
    if listener is None:
        return _NOT_LISTENING
    with _lax_listener(listener) as lax:
        return _unnamed_requests(system, lax)


CHECKS = (
    Check(
        "edge-tls-13-only",
        ("CRY-01",),
        "Each HTTPS port is offered a TLS 1.3 and a TLS 1.2 handshake; it must take only the first. The port for mail, "
        "and what stands in front of this server, are not looked at.",
        lambda system: _versions(system.door.listener),
        _too_old,
        scope="HTTPS ports of this server",
        population="handshakes at each port",
        part="edge",
    ),
    Check(
        "edge-no-identity-no-answer",
        ("ACC-03", "CRY-06"),
        "Every route that needs an identity is called over the network without one, from several addresses of this "
        "machine, and must answer 401. What the limit of requests answers is not counted. No client certificate is "
        "shown.",
        lambda system: _unnamed_requests(system, system.door.listener),
        _lax_requests,
        scope="routes of this server, over the network",
        population="routes that need an identity",
        part="edge",
    ),
)
