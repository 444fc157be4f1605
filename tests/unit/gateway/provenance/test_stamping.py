"""Asking for a time stamp ends in the time that is set, whoever is silent or slow."""

from __future__ import annotations

import socket
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

from troth.gateway.provenance.stamping import relay


def _told(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1)
    except ConnectionResetError:
        return b""


def test_a_silent_caller_holds_neither_the_door_nor_who_waits_behind_it() -> None:
    """Any program of the same machine can connect to it; the library, which waits behind, waits for ever."""
    with relay("http://127.0.0.1:9/", 0.2, lambda: datetime.now(UTC)) as address:
        place = ("127.0.0.1", urlsplit(address).port)
        with (
            closing(socket.create_connection(place, timeout=30)) as silent,
            closing(socket.create_connection(place, timeout=30)) as behind,
        ):
            assert _told(silent) == b""
            assert _told(behind) == b""
