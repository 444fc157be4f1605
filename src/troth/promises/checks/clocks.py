"""Promises about time: the clock of this machine agrees with network time, and entries say when it does not."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from troth.audit import cosigned_notes
from troth.audit.cosignature import cosigned_at
from troth.audit.meta import META
from troth.audit.note import parse_note
from troth.kernel.clock import epoch_ms
from troth.kernel.record import Entry
from troth.promises.check import Check, Facts
from troth.promises.system import System
from troth.telemetry.network_time import NetworkTime, stamp

_REPLY = struct.Struct("!BBbbII4sQQQQ")
_WRONG_SECONDS = 3600.0
_PLAIN_SIGNATURE = 64  # bytes; a cosignature is longer by its time
_SECOND_MS, _MINUTE_MS = 1000, 60_000  # cosignatures count in seconds; a witness answers within a minute or not at all


def _agrees(system: System, network_time: NetworkTime) -> Facts:
    """Looked at now: no server is set up, none answers, or the median of those that do is within the limit."""
    if not network_time.configured:
        return Facts(0, 0, 0, configured=False)
    offset = network_time.look()
    if offset is None:
        return Facts(population=1, tested=0, broken=0)
    return Facts(population=1, tested=1, broken=int(abs(offset) > system.base.settings.clocks.limit_ms))


@contextmanager
def time_server(ahead: float) -> Iterator[str]:
    """A time server on this machine whose clock is `ahead` seconds of ours; gives its `host:port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(line, ahead), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{line.getsockname()[1]}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", line.getsockname())
            thread.join()


def _serve(line: socket.socket, ahead: float) -> None:
    while True:
        question, asker = line.recvfrom(512)
        if not question:
            return
        now = stamp(time.time() + ahead)
        origin = _REPLY.unpack_from(question)[-1]
        line.sendto(_REPLY.pack(0b00_100_100, 2, 0, 0, 0, 0, b"", now, origin, now, now), asker)


class _Nowhere:
    """Takes the entry of a fixture, which is not about this machine."""

    def record(self, _entry: Entry, _changes: object = ()) -> None:
        """Nothing is kept."""


def _off(system: System) -> Facts:
    """The known-bad fixture: a time server that is an hour ahead, so this machine is an hour behind it."""
    with time_server(_WRONG_SECONDS) as server:
        limit = system.base.settings.clocks.limit_ms
        return _agrees(system, NetworkTime([server], limit, _Nowhere(), system.base.clock))  # type: ignore[arg-type]


def _cosigned(system: System) -> list[tuple[int, int]]:
    """(by the witness's clock, by ours when we kept it) of each cosignature of the newest checkpoints, epoch ms."""
    with system.base.database.read() as connection:
        notes = [found for log in ("operator", META) if (found := cosigned_notes.find(connection, log)) is not None]
    return [
        (epoch_ms(cosigned_at(one)), note.at)
        for note in notes
        for one in parse_note(note.note).signatures
        if len(one.signature) > _PLAIN_SIGNATURE
    ]


def _witnessed(system: System, times: list[tuple[int, int]]) -> Facts:
    """A cosignature is made shortly before it is kept here: not after it, and not a minute before."""
    limit = system.base.settings.clocks.limit_ms
    wrong = [theirs for theirs, ours in times if not -limit - _SECOND_MS <= ours - theirs <= limit + _MINUTE_MS]
    return Facts(population=len(times), tested=len(times), broken=len(wrong), configured=bool(times))


CHECKS = (
    Check(
        "clock-agrees",
        ("AUD-07",),
        "This machine asks the time servers that are set up (SNTP) and must be within its limit of their median. They "
        "are not authenticated: who can answer in their place on the network can say what they like. Other machines of "
        "the same installation look for themselves.",
        lambda system: _agrees(system, system.base.network_time),
        _off,
        every=3600,
        scope="the clock of this machine",
        population="offsets from the time servers",
    ),
    Check(
        "witnesses-agree-on-time",
        ("AUD-07",),
        "The time in each witness's cosignature of the newest checkpoints of the operator log and the meta log must "
        "lie within a minute before this machine kept it. Without witnesses there is no time but our own.",
        lambda system: _witnessed(system, _cosigned(system)),
        lambda system: _witnessed(system, [(0, 3_600_000)]),
        every=3600,
        scope="newest cosignatures of the operator log and meta log",
        population="cosignatures of witnesses",
    ),
)
