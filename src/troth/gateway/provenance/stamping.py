"""Asks a time stamp authority in the library's place, which limits neither the size nor the time of an answer.

The library asks an address; for each signature it is given one of this process's own on the loopback device, where its
question is sent on, and the answer comes back if it is what RFC 3161 wants (`stamp_rules`).
"""

from __future__ import annotations

import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from threading import Thread, Timer
from typing import Any, Final
from urllib.parse import urlsplit

from troth.gateway.provenance.stamp_rules import check

MAX_BYTES: Final = 64 << 10  # of an answer: those with a whole chain have 8 KiB
_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"  # RFC 3161, 3.4
_MOST_ASKED: Final = 1 << 10  # bytes of a question, which is a digest and a number


class _Door(TCPServer):
    """One question long."""

    allow_reuse_address = False
    path: str
    answer: Callable[[bytes], bytes]
    end: float
    held: socket.socket | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        """Who comes and says nothing is waited for no longer than until the end."""
        self.held, where = super().get_request()
        self.held.settimeout(max(0.1, self.end - time.monotonic()))
        return self.held, where

    def cut(self) -> None:
        """Whoever is spoken with here, or waits in it, is told that it has ended."""
        for one in (self.socket, self.held):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """What breaks here ends as a failed signature."""


class _Asked(BaseHTTPRequestHandler):
    server: _Door

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", "0"))
        if not secrets.compare_digest(self.path, self.server.path) or not 0 < size <= _MOST_ASKED:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            reply = self.server.answer(self.rfile.read(size))
        except (OSError, http.client.HTTPException, ValueError, LookupError, StopIteration, TypeError):
            self.send_error(HTTPStatus.BAD_GATEWAY)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", _REPLY)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: Any) -> None:
        """Nothing: the log of the server says what matters."""


@contextmanager
def relay(url: str, seconds: float, now: Callable[[], datetime]) -> Iterator[str]:
    """An address that asks `url` once and gives on what passes; everything of it has ended after `seconds`."""
    end = time.monotonic() + seconds

    def answer(query: bytes) -> bytes:
        reply = ask(url, query, end - time.monotonic())
        check(reply, query, now())
        return reply

    with _Door(("127.0.0.1", 0), _Asked) as door:
        door.path, door.answer, door.end = f"/{secrets.token_urlsafe(24)}", answer, end
        watch = Timer(seconds, door.cut)  # the library itself waits for ever
        watch.daemon = True
        try:
            watch.start()
            Thread(target=_serve, args=(door,), name="stamping", daemon=True).start()
        except RuntimeError as error:
            watch.cancel()
            raise OSError("the system has no more threads") from error
        try:
            yield f"http://127.0.0.1:{door.server_address[1]}{door.path}"
        finally:
            watch.cancel()
            door.cut()


def _serve(door: _Door) -> None:
    with suppress(OSError, ValueError):  # closed: the signature is done
        while time.monotonic() < door.end:
            door.timeout = max(0.0, door.end - time.monotonic())
            door.handle_request()


def ask(url: str, query: bytes, seconds: float) -> bytes:
    """The authority's answer, within `seconds` altogether and of at most 64 KiB.

    Raises OSError, HTTPException or ValueError for what is no such answer. It follows no redirection.
    """
    parts, end = urlsplit(url), time.monotonic() + seconds
    if not parts.hostname or seconds <= 0:
        raise ValueError("nobody to ask, or no time")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port)
    connection.sock = door = _reached(connection, end)
    # The time limit of a socket begins anew with each byte. `connection.sock` is None once the answer has begun.
    watch = Timer(max(0.0, end - time.monotonic()), _cut, (door,))
    watch.daemon = True
    try:
        watch.start()
        if isinstance(door, ssl.SSLSocket):
            door.do_handshake()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, query, {"content-type": _QUERY, "accept": _REPLY})
        with connection.getresponse() as answer:
            kind_of_it = (answer.getheader("content-type") or "").partition(";")[0].strip().lower()
            if answer.status != HTTPStatus.OK or kind_of_it != _REPLY:
                raise ValueError("no answer of a time stamp authority")
            content = answer.read(MAX_BYTES + 1)
        if not 0 < len(content) <= MAX_BYTES:
            raise ValueError("too large an answer, or none")
        _left(end)  # an answer that was cut off is none
        return content
    finally:
        watch.cancel()
        connection.close()


def _reached(connection: http.client.HTTPConnection, end: float) -> socket.socket:
    """One of the addresses of the authority. Raises OSError when none answers until `end`."""
    for *_, address in socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM):
        with suppress(OSError):
            plain = socket.create_connection((str(address[0]), connection.port), _left(end))
            if not isinstance(connection, http.client.HTTPSConnection):
                return plain
            context = ssl.create_default_context()
            return context.wrap_socket(plain, server_hostname=connection.host, do_handshake_on_connect=False)
    raise OSError("the authority is not reached")


def _left(end: float) -> float:
    """Seconds until `end`. Raises `TimeoutError` when there are none."""
    if (seconds := end - time.monotonic()) <= 0:
        raise TimeoutError
    return seconds


def _cut(door: socket.socket) -> None:
    with suppress(OSError):
        door.shutdown(socket.SHUT_RDWR)
