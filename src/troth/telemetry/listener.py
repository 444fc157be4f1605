"""A listener of its own for metrics and detailed readiness: plain HTTP on a loopback address, for operators' tools."""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from troth.kernel.errors import Invalid, Unavailable

_SECONDS = 5.0  # one request, from its first byte to its answer
_AT_ONCE = 8  # connections; more are closed
Answer = tuple[int, str, bytes]


class Listener:
    """Serves what `answers` makes, by path. Raises `Invalid` for an address that other machines reach, `Unavailable`
    when the port is taken."""

    def __init__(
        self, host: str, port: int, answers: dict[str, Callable[[], Answer]], *, beyond_loopback: bool = False
    ) -> None:
        require_loopback(host, beyond_loopback=beyond_loopback)
        try:
            self._server = _Server((host, port), _handler(answers, any_name=beyond_loopback))
        except OSError as error:
            raise Unavailable(
                "The port for metrics is taken by another program; set TROTH_TELEMETRY__METRICS_PORT.",
                code="no-port",
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End, and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def require_loopback(host: str, *, beyond_loopback: bool) -> None:
    """Raises `Invalid` unless the address is a loopback one, or others are permitted."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise Invalid(
            "TROTH_TELEMETRY__METRICS_HOST is an IP address such as 127.0.0.1.", code="bad-setting"
        ) from error
    if not loopback and not beyond_loopback:
        raise Invalid(
            "Metrics are offered on loopback only; set TROTH_TELEMETRY__METRICS_BEYOND_LOOPBACK=true to offer them to "
            "other machines, and shut strangers out by a firewall.",
            code="bad-setting",
        )


def as_json(values: dict[str, bool], *, ready: bool) -> Answer:
    """Readiness as an answer."""
    return 200 if ready else 503, "application/json", json.dumps(values).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = _AT_ONCE

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: object, client_address: object) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[arg-type]
            return
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that broke off; there is nobody to tell."""


def is_loopback_name(hosts: Sequence[str]) -> bool:
    """True for one `Host` that names this machine: a page elsewhere whose name leads here (DNS rebinding) does not."""
    try:
        name = urlsplit(f"//{hosts[0]}").hostname if len(hosts) == 1 else None
        return name == "localhost" or (name is not None and ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it ended meanwhile
        connection.shutdown(socket.SHUT_RDWR)


def _handler(answers: dict[str, Callable[[], Answer]], *, any_name: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS
        server_version, sys_version = "troth", ""

        def setup(self) -> None:
            super().setup()  # its timeout is of each read only: a byte now and then would hold the connection for ever
            self._end = threading.Timer(_SECONDS, _cut, [self.connection])
            self._end.daemon = True
            self._end.start()

        def finish(self) -> None:
            self._end.cancel()
            super().finish()

        def do_GET(self) -> None:
            self._end.cancel()  # the request is here; how long the answer takes is not its sender's doing
            named = self.headers.get_all("host", [])  # a browser always names one, the probe of a balancer may not
            if named and not any_name and not is_loopback_name(named):
                self.send_error(421)
                return
            make = answers.get(self.path)
            status, media, body = make() if make else (404, "text/plain", b"")
            self.send_response(status)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(body)))
            self.send_header("cache-control", "no-store")
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
            """The library's own page would repeat what was sent."""
            self.send_response_only(code, "")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the line would hold what was asked for."""

    return Handler
