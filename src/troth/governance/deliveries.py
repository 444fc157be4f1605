"""What is on its way to people and webhooks: put in the transaction of what it tells, sent at least once, one id.

A try is counted before it is made, so a process that dies in between tries again with the same id. What fails goes out
over another channel too once it failed four times; what failed for three days is dead, red on the page and in the log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from troth.governance.calendar_tables import deliveries
from troth.governance.looking import DAY_MS
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Gone, TrothError
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.vault.tables import insert_missing

ACTOR: Final = "svc_calendar"
GIVEN_UP: Final = "message.given-up"
WAITING, DONE, DEAD = "waiting", "done", "dead"
_SECOND: Final = 1_000
_HOUR: Final = 3600 * _SECOND
# Between one try and the next, as Standard Webhooks proposes: 75 hours in all.
PAUSES: Final = (
    5 * _SECOND, 300 * _SECOND, 1800 * _SECOND, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
LASTING: Final = frozenset({"mail"})  # its relay is ours: what it did not take is tried each day for a month
LASTING_MS: Final = 30 * DAY_MS
FAILING: Final = 4  # tries after which another channel is used too, and the page is red
_LEASE_MS: Final = 120 * _SECOND  # a try that did not come back by then was cut off
_MOST: Final = 50  # of one round
_MOST_OF_TARGET: Final = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to send: the id of each try, to whom, and what, as JSON."""

    id: str
    tenant: str
    channel: str
    target: str
    kind: str
    body: str
    put_at: int
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many deliveries of a tenant fail still, and how many were given up in the last thirty days."""

    failing: int
    dead: int


class Sender(Protocol):
    """One channel."""

    def send(self, letter: Letter) -> None:
        """Send it. Raises a TrothError when it was not taken; its code says why. `Gone`: nobody is there any more."""
        ...


class Elsewhere(Protocol):
    """Where else somebody can be told."""

    def __call__(self, connection: Connection, letter: Letter) -> Sequence[tuple[str, str]]:
        """(channel, target) to use beside the one that fails."""
        ...


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Deliveries over a database. `senders` by channel; a channel without one is not used.

    `recorder`: the log, which is told of what is given up.
    """

    database: Database
    clock: Clock
    senders: Mapping[str, Sender]
    elsewhere: Elsewhere = lambda _connection, _letter: ()
    recorder: Recorder | None = None

    def put(self, connection: Connection, letter: Letter) -> bool:
        """In the open transaction; True unless it was put before. Nothing for a channel that is not set up."""
        if letter.channel not in self.senders:
            return False
        row = {name: getattr(letter, name) for name in Letter.__dataclass_fields__}
        row |= {"state": WAITING, "tries": 0, "next_at": self._now()}
        return insert_missing(connection, deliveries, row)

    @as_system
    def run(self) -> int:
        """Send what is due now; how many were taken. For a job of any number of servers."""
        sent = 0
        failed: set[str] = set()
        for letter, tries in self._due():
            if letter.target not in failed and self._claimed(letter, tries):
                taken = self._tried(letter, tries + 1)
                sent += taken
                if not taken:  # what else waits for it waits on: one that is slow holds nobody up for long
                    failed.add(letter.target)
        return sent

    def trouble(self, tenant: str) -> Trouble:
        """What a page must show in red."""
        mine = select(func.count()).select_from(deliveries).where(deliveries.c.tenant == tenant)
        failing = mine.where(deliveries.c.state == WAITING, deliveries.c.tries >= FAILING)
        dead = mine.where(deliveries.c.state == DEAD, deliveries.c.put_at > self._now() - LASTING_MS)
        with self.database.read() as connection:
            return Trouble(int(connection.scalar(failing) or 0), int(connection.scalar(dead) or 0))

    def revive(self, connection: Connection, tenant: str, target: str) -> int:
        """Try again what was given up for a target in the last thirty days; how many."""
        mine = and_(deliveries.c.tenant == tenant, deliveries.c.target == target)
        young = deliveries.c.put_at > self._now() - LASTING_MS
        again = update(deliveries).where(mine, young, deliveries.c.state == DEAD)
        return connection.execute(again.values(state=WAITING, tries=0, next_at=self._now())).rowcount

    def _due(self) -> list[tuple[Letter, int]]:
        now = self._now()
        columns = [deliveries.c[name] for name in Letter.__dataclass_fields__]
        place = func.row_number().over(partition_by=deliveries.c.target, order_by=deliveries.c.next_at)
        waiting = select(*columns, deliveries.c.tries, place.label("place")).where(
            deliveries.c.state == WAITING, deliveries.c.next_at <= now, deliveries.c.channel.in_(sorted(self.senders))
        )
        some = waiting.subquery()
        fair = select(some).where(some.c.place <= _MOST_OF_TARGET).order_by(some.c.place, some.c.put_at).limit(_MOST)
        with self.database.read() as connection:
            rows = connection.execute(fair).mappings().all()
        return [
            (Letter(**{name: row[name] for name in Letter.__dataclass_fields__}), int(row["tries"])) for row in rows
        ]

    def _claimed(self, letter: Letter, tries: int) -> bool:
        """One server gets it, and no second one before the lease is over."""
        mine = update(deliveries).where(
            deliveries.c.id == letter.id, deliveries.c.state == WAITING, deliveries.c.tries == tries,
            deliveries.c.next_at <= self._now(),
        )  # fmt: skip
        with self.database.write() as connection:
            return connection.execute(mine.values(tries=tries + 1, next_at=self._now() + _LEASE_MS)).rowcount == 1

    def _tried(self, letter: Letter, tries: int) -> bool:
        try:
            self.senders[letter.channel].send(letter)
        except Gone:  # nobody is there any more: not sent, and no channel's fault
            with self.database.write() as connection:
                waits = deliveries.c.state == WAITING  # an alarm that was given up with its webhook stays
                connection.execute(delete(deliveries).where(deliveries.c.id == letter.id, waits))
            return False
        except TrothError as error:
            self._failed(letter, tries, error.code)
            return False
        with self.database.write() as connection:
            self._set(connection, letter, state=DONE, done_at=self._now(), trouble=None)
        return True

    def _failed(self, letter: Letter, tries: int, code: str) -> None:
        now = self._now()
        values: dict[str, Any] = {"trouble": code[:48], "next_at": now + PAUSES[min(tries, len(PAUSES)) - 1]}
        over = tries > len(PAUSES)
        if over and not (letter.channel in LASTING and now - letter.put_at < LASTING_MS):
            values["state"] = DEAD
        with self.database.write() as connection:
            self._set(connection, letter, **values)
            if values.get("state") == DEAD:
                self._tell(connection, letter, tries, now=now, code=code)
            if tries == FAILING and letter.instead_of is None:
                self._put_elsewhere(connection, letter)

    def _tell(self, connection: Connection, letter: Letter, tries: int, *, now: int, code: str) -> None:
        """Who should have been told was not: that stands in the log of the tenant for good."""
        if self.recorder is None:
            return
        facts: dict[str, Fact] = {"object": letter.id, "count": tries, "kinds": {letter.channel: 1}}
        entry = Entry(
            log=letter.tenant, operation=GIVEN_UP, phase="event", outcome=Outcome.FAILED, request=letter.id,
            actor=ACTOR, tenant=letter.tenant, time=now, code=code, facts=facts,
        )  # fmt: skip
        self.recorder.record_within(connection, entry)

    def _put_elsewhere(self, connection: Connection, letter: Letter) -> None:
        for channel, target in self.elsewhere(connection, letter):
            other = delivery_id(letter.id, channel, target)
            at = self._now()
            self.put(connection, Letter(other, letter.tenant, channel, target, letter.kind, letter.body, at, letter.id))

    def _set(self, connection: Connection, letter: Letter, **values: Any) -> None:
        connection.execute(update(deliveries).where(deliveries.c.id == letter.id).values(**values))

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def delivery_id(cause: str, channel: str, target: str) -> str:
    """The same for the same cause, channel and target, whoever puts it."""
    return f"dlv_{hashlib.sha256(chr(0).join((cause, channel, target)).encode()).hexdigest()[:40]}"


def as_body(kind: str, at: int, data: Mapping[str, Any]) -> str:
    """The content of a message, as Standard Webhooks shapes it. `at` in epoch ms."""
    return json.dumps({"type": kind, "timestamp": at, "data": data}, separators=(",", ":"), sort_keys=True)


def finished_before(moment: int) -> Any:
    """Which deliveries may be dropped: done, or dead and shown long enough."""
    old = deliveries.c.put_at < moment
    return and_(old, or_(deliveries.c.state == DONE, deliveries.c.state == DEAD))
