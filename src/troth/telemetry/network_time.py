"""How far this machine's clock is from network time: a small SNTP client (RFC 4330, RFC 5905), and what follows.

Asked by a job; the answer of one moment is kept. Over the limit, every entry that this process writes says so (member
`clock` of the leaf), readiness tells, and the log gets `clock.checked` with the offset. Without a configured server
nothing is known, and nothing is called right.
"""

from __future__ import annotations

import secrets
import socket
import statistics
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder

PORT = 123
_SECONDS = 2.0  # for one server, answers of strangers included
_PACKET = struct.Struct("!BBbbII4sQQQQ")
_ERA = 2_208_988_800  # seconds from 1900, where NTP counts from, to 1970
_WHOLE = 1 << 32
_ASK = 0b00_100_011  # no leap warning, version 4, mode 3: client
_SERVER_MODE, _UNSYNCHRONIZED, _WORST_STRATUM = 4, 3, 15
_WORST_ROOT = 1.0  # seconds between the server and its source; beyond it the answer is worth nothing here

OFF = "off"


@dataclass(frozen=True, slots=True)
class Sample:
    """What one server said: its clock less ours, and the time its answer took, both in seconds."""

    offset: float
    delay: float


def ask(server: str, clock: Callable[[], float] = time.time, seconds: float = _SECONDS) -> Sample:
    """Ask one server, as `host` or `host:port`. Raises `Unavailable` (no-network-time) when no fit answer comes.

    The transmit time in the question is random: it tells our clock to nobody, and only who read it can answer.
    """
    host, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port or PORT), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as line:
            line.connect(address)  # answers of others are dropped by the system
            nonce, sent = secrets.randbits(64), clock()
            line.send(_PACKET.pack(_ASK, 0, 0, 0, 0, 0, b"", 0, 0, 0, nonce))
            return _answer(line, nonce, sent, clock, time.monotonic() + seconds)
    except (OSError, ValueError) as error:
        raise _silent() from error


def _answer(line: socket.socket, nonce: int, sent: float, clock: Callable[[], float], until: float) -> Sample:
    while (left := until - time.monotonic()) > 0:
        line.settimeout(left)
        packet = line.recv(512)
        back = clock()
        with suppress(IntegrityError, struct.error):
            return _read(packet, nonce, sent, back)
    raise _silent()


def _read(packet: bytes, nonce: int, sent: float, back: float) -> Sample:
    first, stratum, _, _, delay, dispersion, _, _, origin, received, answered = _PACKET.unpack_from(packet)
    root = (delay / 2 + dispersion) / (1 << 16)
    unfit = first & 7 != _SERVER_MODE or first >> 6 == _UNSYNCHRONIZED or not 1 <= stratum <= _WORST_STRATUM
    if unfit or origin != nonce or not received or not answered or root > _WORST_ROOT:
        raise IntegrityError("That is no answer to what was asked.", code="no-network-time")
    there, gone = _seconds(received), _seconds(answered)
    return Sample(((there - sent) + (gone - back)) / 2, (back - sent) - (gone - there))


def _seconds(stamp: int) -> float:
    """Seconds since 1970; a stamp before 1968 is of the next era, which begins in 2036 (RFC 4330, section 3)."""
    whole = stamp >> 32
    return whole + (0 if whole >> 31 else _WHOLE) - _ERA + (stamp % _WHOLE) / _WHOLE


def stamp(moment: float) -> int:
    """The NTP timestamp of a moment in seconds since 1970."""
    return (int(moment + _ERA) % _WHOLE << 32) | int(moment % 1 * _WHOLE)


def _silent() -> Unavailable:
    return Unavailable("No time server answered as one; check TROTH_CLOCKS__SERVERS.", code="no-network-time")


class NetworkTime:
    """Keeps how far off this machine's clock is, by the median of the servers that answer. `limit`: milliseconds."""

    def __init__(self, servers: Sequence[str], limit: int, recorder: Recorder, clock: Clock) -> None:
        self.configured = bool(servers)
        self._servers = tuple(servers)
        self._limit = limit
        self._recorder = recorder
        self._clock = clock
        self._off = False
        self._known: bool | None = None

    @property
    def mark(self) -> str | None:
        """What entries say of their time: `off` while it was over the limit when it was last looked at."""
        return OFF if self._off else None

    def right(self) -> bool:
        """True when the last look found the clock within its limit; nothing known is not right."""
        return self._known is True

    def look(self, *, aside: Callable[[], float] = time.time) -> int | None:
        """Ask every server and keep what they say: milliseconds, or None when none answered. An entry tells of it."""
        if not self.configured:
            return None
        found = []
        for server in self._servers:
            with suppress(Unavailable):
                found.append(ask(server, aside).offset)
        offset = round(statistics.median(found) * 1000) if found else None
        self._known = None if offset is None else abs(offset) <= self._limit
        if offset is not None:  # servers that are silent say nothing about the clock: the mark stays as it was
            self._off = not self._known
        self._recorder.record(self._entry(offset, len(found)))
        return offset

    def _entry(self, offset: int | None, answers: int) -> Entry:
        outcome = Outcome.DONE if self._known else Outcome.FAILED
        code = None if self._known else "no-network-time" if offset is None else "clock-off"
        facts = {"count": answers} | ({} if offset is None else {"offset": offset})
        now, name, who = epoch_ms(self._clock.now()), "clock.checked", "svc_clock"
        return Entry("operator", name, "event", outcome, new_id("req"), who, None, now, code=code, facts=dict(facts))
