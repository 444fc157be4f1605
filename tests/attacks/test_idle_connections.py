"""Connections that say nothing: from one address they take no room from others, and they do not stay."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from served import Served, answer, served
from troth.http.protocol import HEAD_SECONDS

ALLOWED = 64  # the default of server.connections_per_address
TRIED = ALLOWED + 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


def _plain(server: Served, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.stage.port), 10, source_address=(address, 0))


def _status(server: Served, address: str) -> int:
    with server.context().wrap_socket(_plain(server, address), server_hostname="localhost") as secured:
        secured.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return answer(secured)[0]


def _closed(secured: socket.socket) -> bool:
    """True when the other side has hung up."""
    secured.settimeout(0.05)
    try:
        return secured.recv(1) == b""
    except (TimeoutError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def test_silent_connections_take_no_room_from_others_and_do_not_stay(server: Served) -> None:
    context = server.context()
    with contextlib.ExitStack() as held:
        silent: list[socket.socket] = []
        for _ in range(TRIED):
            with contextlib.suppress(OSError):  # refused while shaking hands
                secured = context.wrap_socket(_plain(server), server_hostname="localhost")
                silent.append(held.enter_context(secured))
        assert sum(not _closed(one) for one in silent) <= ALLOWED
        assert _status(server, "127.0.0.2") == 200
        time.sleep(HEAD_SECONDS)
        assert all(_closed(one) for one in silent)
        assert _status(server, "127.0.0.1") == 200


def test_who_never_shakes_hands_is_closed(server: Served) -> None:
    with _plain(server) as mute:
        mute.settimeout(HEAD_SECONDS + 5)
        with contextlib.suppress(ConnectionResetError):
            assert mute.recv(1) == b""
