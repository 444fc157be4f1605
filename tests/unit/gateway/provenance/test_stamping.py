"""Asking for a time stamp ends in the time that is set, whoever is silent or slow."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from troth.gateway.provenance.stamping import ask, relay


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


@pytest.mark.parametrize(
    ("scheme", "begun"),
    [
        ("http", b"HTTP/1.0 200 OK\r\ncontent-type: application/timestamp-reply\r\n\r\n"),
        ("http", b"HTTP/1.0 200 OK\r\nx: "),
        ("https", b"\x16\x03\x03\x40\x00"),
    ],
    ids=["content", "header", "handshake"],
)
def test_an_answer_in_drops_ends_with_the_time(scheme: str, begun: bytes) -> None:
    sent = list[bytes]()

    def drip() -> None:
        with server.accept()[0] as caller:
            caller.recv(1)
            for drop in (begun, *(b"x" for _ in range(600))):
                try:
                    caller.send(drop)
                except OSError:
                    return
                sent.append(drop)
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as server:
        authority = threading.Thread(target=drip, daemon=True)
        authority.start()
        with pytest.raises((OSError, ValueError)):
            ask(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/", b"query", 0.3)
        authority.join()
    assert 0 < len(sent) < 600
