"""A look at the server's own door, as a client takes it: TLS on loopback, a real request, a real answer."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from troth.kernel.clock import Clock, epoch_ms
from troth.storage.database import Database
from troth.telemetry import samples
from troth.telemetry.samples import HOUR_MS, Look

_SECONDS = 5.0  # an answer that takes longer is none
_MOST = 1 << 20  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class Door:
    """Where the door is: address and port on this machine, name in the certificate, file with who signed it."""

    host: str
    port: int
    name: str
    trusted: Path


@dataclass(frozen=True, slots=True)
class Target:
    """Something to look at: `GET path` must answer 200 with `holds` in it. `every`: how many rounds apart."""

    name: str
    path: str
    holds: bytes
    every: int = 1
    headers: Callable[[], Mapping[str, str]] = dict


@dataclass(slots=True)
class Probe:
    """Looks at each target once a round, and keeps what it saw."""

    database: Database
    clock: Clock
    door: Callable[[], Door | None]
    targets: Sequence[Target]
    seconds: int
    rounds: int = field(default=0)

    def run(self) -> int:
        """One round; how many looks were taken. None before the door is open."""
        door = self.door()
        if door is None:
            return 0
        due = [one for one in self.targets if self.rounds % one.every == 0]
        self.rounds += 1
        looks = [self._look(door, one) for one in due]

        def change(connection: Connection) -> None:
            for target, look in zip(due, looks, strict=True):
                samples.add(connection, look, self.due(target))
            samples.forget(connection, epoch_ms(self.clock.now()))

        with self.database.write() as connection:
            change(connection)
        return len(looks)

    def due(self, target: Target) -> int:
        """Looks at a target in a whole hour."""
        return max(1, HOUR_MS // 1000 // (self.seconds * target.every))

    def _look(self, door: Door, target: Target) -> Look:
        at, began = epoch_ms(self.clock.now()), time.perf_counter()
        try:
            with _connected(door) as connection:
                connection.request("GET", target.path, headers={"Connection": "close", **target.headers()})
                response = connection.getresponse()
                body = response.read(_MOST)
            available = response.status == 200 and target.holds in body
        except (OSError, http.client.HTTPException, ValueError):
            available = False
        ms = round((time.perf_counter() - began) * 1000)
        return Look(target.name, at, available and ms <= _SECONDS * 1000, ms)


@contextlib.contextmanager
def _connected(door: Door) -> Iterator[http.client.HTTPConnection]:
    """TLS to the door under its public name, whatever that name resolves to; only its own certificate is trusted."""
    context = ssl.create_default_context(cafile=str(door.trusted))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a public certificate is its own anchor here
    connection = http.client.HTTPConnection(door.name, door.port, timeout=_SECONDS)
    plain = socket.create_connection((door.host, door.port), timeout=_SECONDS)
    with plain, context.wrap_socket(plain, server_hostname=door.name) as secured, contextlib.closing(connection):
        connection.sock = secured
        yield connection
