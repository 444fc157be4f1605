"""The LMTP listener (RFC 2033): your mail server hands messages over, on this machine only, one recipient at a time."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import stat
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from troth.kernel.dispatch import FaultLog
from troth.kernel.errors import Invalid, Unavailable
from troth.mail.desk import LATER, MailDesk

MAX_CONNECTIONS = 16
MAX_A_MINUTE = 120  # messages; more are told to come back, and the mail server keeps them
_IDLE_SECONDS = 60.0
_COMMANDS = 40  # of each sort, in one connection


class Handler:
    """What aiosmtpd calls."""

    def __init__(self, desk: MailDesk, faults: FaultLog, now: Callable[[], float]) -> None:
        self._desk = desk
        self._faults = faults
        self._now = now
        self._taken: deque[float] = deque(maxlen=MAX_A_MINUTE)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802
        """One recipient, and it is ours."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        if await asyncio.to_thread(self._desk.tenant_of, address) is None:
            return "550 5.1.1 No such address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Register the message before it is acknowledged."""
        if self._too_fast():
            return "451 4.7.1 Too many messages; try again later"
        tenant = await asyncio.to_thread(self._desk.tenant_of, envelope.rcpt_tos[0])
        if tenant is None:
            return "550 5.1.1 No such address"
        return_path = (envelope.mail_from or "").removeprefix("<").removesuffix(">")  # "<>" is a bounce's
        return await asyncio.to_thread(self._desk.take, tenant, return_path, envelope.content)

    async def handle_exception(self, error: Exception) -> str:
        """Something unexpected: the mail server tries again, and learns nothing."""
        self._faults.fault(error, "mail", "none")
        return LATER

    def _too_fast(self) -> bool:
        now = self._now()
        if len(self._taken) == MAX_A_MINUTE and self._taken[0] > now - 60:
            return True
        self._taken.append(now)
        return False


class Listener:
    """Listens on a thread of its own. `place` is `address:port` of loopback, or `unix:` and a path."""

    def __init__(self, desk: MailDesk, place: str, *, max_bytes: int, faults: FaultLog) -> None:
        self._desk = desk
        self._socket_of = _checked(place)
        self._max_bytes = max_bytes
        self._faults = faults
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.bound: Any = None
        """Where it listens, once it does: (address, port) or a path."""

    def start(self) -> None:
        """Listen. Raises `Unavailable` without the extra, or when the place cannot be taken."""
        try:
            import aiosmtpd.lmtp  # noqa: F401, PLC0415 - an extra
        except ImportError as error:
            raise Unavailable("The e-mail desk needs: pip install 'troth[mail]'.", code="extra-missing") from error
        try:
            listening = self._socket_of()
        except OSError as error:
            raise Unavailable("TROTH_MAIL__LISTEN cannot be used; choose a free place.", code="mail-listen") from error
        self.bound = listening.getsockname()
        loop, ready = asyncio.new_event_loop(), threading.Event()
        self._loop = loop
        self._thread = threading.Thread(target=self._run, args=(loop, listening, ready), name="mail", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End; messages that are being taken in are finished or kept by the mail server."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = self._thread = None
        if isinstance(self.bound, str):
            Path(self.bound).unlink(missing_ok=True)

    def _run(self, loop: asyncio.AbstractEventLoop, listening: socket.socket, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(loop.create_server(self._protocols(loop), sock=listening))
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            server.close()
            _ended(loop)

    def _protocols(self, loop: asyncio.AbstractEventLoop) -> Callable[[], Any]:
        """A protocol for each connection, up to `MAX_CONNECTIONS` at once."""
        from aiosmtpd.lmtp import LMTP  # noqa: PLC0415 - an extra

        handler, limit = Handler(self._desk, self._faults, loop.time), self._max_bytes
        opened: set[Any] = set()

        class Bounded(LMTP):
            """Refuses what is too much."""

            def connection_made(self, transport: Any) -> None:
                if len(opened) >= MAX_CONNECTIONS:
                    transport.write(b"421 4.3.2 Too many connections\r\n")
                    transport.close()
                    return
                opened.add(self)
                super().connection_made(transport)

            def connection_lost(self, error: Exception | None) -> None:
                if self in opened:
                    opened.discard(self)
                    super().connection_lost(error)

        def protocol() -> Any:
            return Bounded(
                handler,
                data_size_limit=limit,
                enable_SMTPUTF8=True,
                hostname=self._desk.domain,
                ident="Troth",
                timeout=_IDLE_SECONDS,
                command_call_limit=_COMMANDS,
                loop=loop,
            )

        return protocol


def _ended(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _checked(place: str) -> Callable[[], socket.socket]:
    """How to listen at a place. Raises `Invalid` for one that others than this machine could reach."""
    refusal = Invalid("TROTH_MAIL__LISTEN is 127.0.0.1:port, [::1]:port or unix:/path.", code="bad-setting")
    if place.startswith("unix:/"):
        return lambda: _at_path(place.removeprefix("unix:"))
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise refusal from None
    if not address.is_loopback or not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise refusal
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    return lambda: socket.create_server((host, int(port)), family=family)


def _at_path(path: str) -> socket.socket:
    """A socket file for this user and group; one that a dead process left is replaced."""
    place = Path(path)
    if place.is_socket():
        place.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(path)
        place.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening
