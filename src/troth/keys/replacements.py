"""Replacing exposed units as a job: asked for, agreed to by a second operator when it concerns many, worked off.

Its state is in the database alone. A process that dies in the middle leaves units marked and content half moved; the
next round goes on there, whatever it finds. What stops a round (a key domain or the object store is away, an object is
damaged) is noted with its code, and the round is tried again; no old unit is destroyed before all its content moved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlalchemy import Connection

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, NotFound, TrothError
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.kernel.scope import SYSTEM
from troth.keys.incidents import Incidents
from troth.keys.replacement_rows import Progress, Replacement, ReplacementRows
from troth.keys.standing import require_reason
from troth.keys.transitions import Transitions
from troth.keys.unit_rows import UnitRow
from troth.keys.units import Scope
from troth.storage.database import Database

LISTED = 100
_TOLD_SECONDS = 1.0  # between two notes of the progress
_DAY_MS = 24 * 60 * 60 * 1000
_SERVICE = "svc_"  # in the key tree these are no people


class Guard(Protocol):
    """Who may agree to what another one asked for."""

    def stands_apart(self, connection: Connection, approver: str, asker: str, since: int) -> bool:
        """True when `approver` could decide before `since` (epoch ms), and not because `asker` let them."""
        ...


class Replacements:
    """Asks for, decides on and works off replacements.

    `approval_above`: people that one operator may answer for alone within a day, in however many wishes.
    """

    def __init__(
        self,
        database: Database,
        incidents: Incidents,
        transitions: Transitions,
        clock: Clock,
        *,
        guard: Guard,
        approval_above: int,
    ) -> None:
        self._database = database
        self._incidents = incidents
        self._transitions = transitions
        self._clock = clock
        self._guard = guard
        self._approval_above = approval_above
        self._rows = ReplacementRows(transitions.jurisdiction)
        self._working = threading.Lock()

    def ask(self, scope: Scope, reason: str, *, actor: str) -> Replacement:
        """Replace the units of a tenant, or of a person with those of shared objects that concern them.

        The same wish again is the one that there is. Raises `NotFound` (no-units), `Unavailable` (no-reencryption),
        `Invalid`.
        """
        require_reason(reason)
        tenant, subject = str(scope.tenant), scope.subject or None
        people = _people(self._incidents.concerned(scope))
        fresh = Replacement(
            id=new_id("rpl"),
            tenant=tenant,
            subject=subject,
            reason=reason,
            state=Progress.WAITING,
            actor=actor,
            approver=None,
            people=people,
            units=0,
            done=0,
            moved=0,
            asked_at=self._now(),
            approved_at=None,
            marked_at=None,
            ended_at=None,
            fault=None,
            fault_at=None,
        )
        with self._database.write(SYSTEM) as connection:
            for one in self._rows.unended(connection):
                if (one.tenant, one.subject, one.reason) == (tenant, subject, reason):
                    return one
            asked = self._rows.people_asked(connection, actor, fresh.asked_at - _DAY_MS)
            if asked + people <= self._approval_above:
                fresh = replace(fresh, state=Progress.OPEN)
            self._rows.add(connection, fresh)
            self._event(connection, "replacement-asked", fresh)
        return fresh

    def approve(self, identifier: str, *, actor: str) -> Replacement:
        """Agree as the second operator. Raises `NotFound`, `Conflict` (not-waiting), `Denied` (own-wish, not-apart)."""
        with self._database.write(SYSTEM) as connection:
            one = self._waiting(connection, identifier)
            if actor == one.actor:
                raise Denied("Nobody approves what they asked for; ask another operator.", code="own-wish")
            if not self._guard.stands_apart(connection, actor, one.actor, one.asked_at):
                raise Denied(
                    "Who approves this was an operator before it was asked for, and not through who asked; ask another "
                    "one.",
                    code="not-apart",
                )
            self._rows.change(connection, one.id, state=Progress.OPEN, approver=actor, approved_at=self._now())
            return self._told(connection, "replacement-approved", one.id)

    def call_off(self, identifier: str) -> Replacement:
        """Drop what still waits. Raises `NotFound`, `Conflict` (not-waiting)."""
        with self._database.write(SYSTEM) as connection:
            one = self._waiting(connection, identifier)
            self._end(connection, one, Progress.CALLED_OFF)
            return self._told(connection, "replacement-called-off", one.id)

    def show(self, identifier: str) -> Replacement:
        """One of them. Raises `NotFound`."""
        with self._database.read(SYSTEM) as connection:
            return self._rows.found(connection, identifier)

    def list(self) -> list[Replacement]:
        """The newest first."""
        with self._database.read(SYSTEM) as connection:
            return self._rows.newest(connection, LISTED)

    def resume(self) -> int:
        """Work off what is open, one after the other; how many ended. For a job, and after a start."""
        if not self._working.acquire(blocking=False):
            return 0
        try:
            with self._database.read(SYSTEM) as connection:
                unended = self._rows.unended(connection)
            return sum(self._round(one) for one in unended)
        finally:
            self._working.release()

    def _round(self, one: Replacement) -> bool:
        """True when it ended; what stopped it is noted, and the next one has its turn."""
        try:
            if one.marked_at is None and self._pointless(one):
                return True
            if one.state == Progress.WAITING:
                return False
            self._work(one)
        except TrothError as error:
            with self._database.write(SYSTEM) as connection:
                self._rows.change(connection, one.id, fault=error.code, fault_at=self._now())
            return False
        return True

    def _pointless(self, one: Replacement) -> bool:
        """True when whom it concerns was erased before anything was marked: their id is dropped here too."""
        try:
            self._incidents.concerned(_scope(one))
        except NotFound:
            with self._database.write(SYSTEM) as connection:
                self._end(connection, one, Progress.CALLED_OFF)
            return True
        return False

    def _work(self, one: Replacement) -> None:
        if one.marked_at is None:
            self._mark(one)
        units = self._incidents.finish(one.tenant, one.reason, _Told(self._database, self._rows, one))
        with self._database.write(SYSTEM) as connection:
            self._end(connection, one, Progress.DONE)
            self._transitions.event(
                connection,
                "replacement-done",
                self._now(),
                {"tenant": one.tenant, "reason": one.reason, "units": units},
            )

    def _mark(self, one: Replacement) -> None:
        # Marked first and noted after: what died in between marks again, and no end is noted that was none.
        units = self._incidents.begin(_scope(one), one.reason)
        with self._database.write(SYSTEM) as connection:
            self._rows.change(connection, one.id, marked_at=self._now(), units=units, done=0)

    def _end(self, connection: Connection, one: Replacement, state: Progress) -> None:
        done = {"done": self._rows.found(connection, one.id).units} if state is Progress.DONE else {}
        ended = {"state": state, "subject": None, "ended_at": self._now(), "fault": None, "fault_at": None}
        self._rows.change(connection, one.id, **ended, **done)

    def _waiting(self, connection: Connection, identifier: str) -> Replacement:
        one = self._rows.found(connection, identifier, lock=True)
        if one.state != Progress.WAITING:
            raise Conflict("This replacement does not wait for an approval.", code="not-waiting")
        return one

    def _told(self, connection: Connection, what: str, identifier: str) -> Replacement:
        one = self._rows.found(connection, identifier)
        self._event(connection, what, one)
        return one

    def _event(self, connection: Connection, what: str, one: Replacement) -> None:
        facts: dict[str, Fact] = {"tenant": one.tenant, "reason": one.reason, "counts": {"people": one.people}}
        self._transitions.event(connection, what, self._now(), facts | {"state": str(one.state)})

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


class _Told:
    """Notes how far a replacement is, once a second."""

    def __init__(self, database: Database, rows: ReplacementRows, one: Replacement) -> None:
        self._database = database
        self._rows = rows
        self._id = one.id
        self._moved = one.moved
        self._next = 0.0

    def __call__(self, done: int, moved: int, *, last: bool) -> None:
        self._moved += moved
        if last or time.monotonic() >= self._next:
            with self._database.write(SYSTEM) as connection:
                self._rows.change(connection, self._id, done=done, moved=self._moved, fault=None, fault_at=None)
            self._next = time.monotonic() + _TOLD_SECONDS


def _scope(one: Replacement) -> Scope:
    return Scope.of_subject(one.tenant, one.subject) if one.subject else Scope.of_tenant(one.tenant)


def _people(rows: Sequence[UnitRow]) -> int:
    return len({row.subject for row in rows if not row.subject.startswith(_SERVICE)})
