"""What an erasure shuts: first so that it can be opened again, then, by its tombstone, for good."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import Connection

from troth.kernel.errors import NotFound
from troth.kernel.record import Fact
from troth.vault import endings, fences, ledger, store
from troth.vault.ground import Ground
from troth.vault.holds import Hold, binding, binding_person, binding_tenant, unheld
from troth.vault.ledger import Erasure
from troth.vault.restriction import standing_restriction


class Guard(Protocol):
    """Knows who may not leave, and who may decide; bound in the wiring, for the vault knows no roles."""

    def stands_apart(self, connection: Connection, approver: str, asker: str, since: int) -> bool:
        """True when `approver` could decide before `since` (epoch ms), and not because `asker` let them."""
        ...

    def check_may_leave(self, connection: Connection, tenant: str, subject: str, leaving: Collection[str]) -> None:
        """Raises `Conflict` when the tenant needs this person, once those who are `leaving` are gone.

        Holds until the transaction of `connection` ends: two people who leave at once wait for each other.
        """
        ...


class Marks:
    """The marks of erasures on people, tenants and objects. Every method can be repeated."""

    def __init__(self, ground: Ground, guard: Guard) -> None:
        self._ground = ground
        self._guard = guard

    def close(self, erasure: Erasure) -> None:
        """Shut what will be erased, until it is due or called off; held instead when a hold binds it."""
        with self._ground.database.write() as connection:
            if self._closed_already(connection, erasure) or self._held(connection, erasure):
                return
            if erasure.scope in (ledger.SUBJECT, ledger.TENANT):
                fences.shut(connection, erasure.subject_digest, fences.CLOSING, erasure=erasure.id)
            else:
                endings.close(connection, self._taken(connection, erasure)[0], erasure.id)
            ledger.change(connection, erasure.id, state=ledger.CLOSING, basis=None)
            self._event(connection, erasure, "erasure.closing")

    def reopen(self, connection: Connection, erasure: Erasure) -> None:
        """Open again what an erasure that was called off had shut."""
        restricted = erasure.subject and standing_restriction(connection, erasure.tenant, erasure.subject)
        back = fences.RESTRICTED if restricted else store.LIVE
        fences.release(connection, erasure.subject_digest, fences.CLOSING, erasure=erasure.id, back_to=back)
        endings.reopen(connection, erasure.id)

    def tombstone(self, erasure: Erasure) -> bool:
        """Close the fence: from this commit on nothing opens and nothing new can be kept. False under a hold."""
        with self._ground.database.write() as connection:
            standing = ledger.lock(connection, erasure.id)
            if standing is None or standing.state in (ledger.CANCELLED, ledger.WAITING):
                return False
            if ledger.result(connection, erasure.id, "tombstone") is not None:
                return True
            if self._held(connection, erasure):
                return False
            if standing.state == ledger.HELD:  # the tenant's people may have changed since it was asked
                self.check_may_leave(connection, erasure)
            outcome = {"withheld": self._end(connection, erasure)}
            ledger.change(connection, erasure.id, state=ledger.RUNNING, basis=None)
            if ledger.done(connection, erasure.id, "tombstone", self._ground.now(), outcome):
                self._event(connection, erasure, "erasure.tombstoned")
        return True

    def check_may_leave(self, connection: Connection, erasure: Erasure) -> None:
        """Raises `Conflict` (last-owner) when the tenant needs the person."""
        if erasure.scope == ledger.SUBJECT and erasure.subject:
            leaving = ledger.leaving(connection, erasure.tenant)
            self._guard.check_may_leave(connection, erasure.tenant, erasure.subject, leaving)

    def _end(self, connection: Connection, erasure: Erasure) -> int:
        """Take everything out of service; how many objects a hold kept out of it."""
        if erasure.scope in (ledger.SUBJECT, ledger.TENANT):
            fences.end(connection, erasure.subject_digest, erasure.id, self._ground.now())
            return 0
        taken, withheld = self._taken(connection, erasure)
        if taken:
            endings.mark_closure(connection, taken, "erased", erasure.id)
        return withheld

    def _taken(self, connection: Connection, erasure: Erasure) -> tuple[list[str], int]:
        """Ids of the objects that the tombstone takes, and how many are held; shared ones have a step of their own."""
        if erasure.object:
            (row,) = store.by_ids(connection, [erasure.object])
            return [] if row.shared else [row.id], 0
        which = endings.kept_before(erasure.tenant, erasure.data_class or "", erasure.before or 0)
        rows = endings.matching(connection, which)
        free = [row.id for row in unheld(connection, rows, self._ground.now())]
        return free, len(rows) - len(free)

    def _closed_already(self, connection: Connection, erasure: Erasure) -> bool:
        now = ledger.lock(connection, erasure.id)
        return now is None or now.state not in (ledger.REQUESTED, ledger.HELD)

    def _held(self, connection: Connection, erasure: Erasure) -> bool:
        """True, and noted, when a hold stands in the way. What it binds of a period is left out instead."""
        found = self._hold(connection, erasure)
        if found:
            self.reopen(connection, erasure)
            ledger.change(connection, erasure.id, state=ledger.HELD, basis=found.basis)
        return found is not None

    def _hold(self, connection: Connection, erasure: Erasure) -> Hold | None:
        now = self._ground.now()
        if erasure.scope == ledger.PERIOD:
            return None
        if erasure.scope == ledger.TENANT:
            return binding_tenant(connection, now, erasure.tenant)
        if erasure.object:
            ids = store.closure(connection, [erasure.object])
            return binding(connection, now, erasure.tenant, erasure.subject_digest, ids)
        return binding_person(connection, now, erasure.tenant, erasure.subject or "")

    def _event(self, connection: Connection, erasure: Erasure, operation: str) -> None:
        facts: dict[str, Fact] = {"erasure": erasure.id, "kinds": {erasure.scope: 1}}
        entry = self._ground.entry(operation, erasure.tenant, erasure.request, erasure.actor, facts)
        self._ground.event(connection, entry)


def require_object(connection: Connection, tenant: str, subject: str, object_id: str) -> store.Row:
    """An object of this person's, or one that shows them. Raises `NotFound`."""
    row = store.find(connection, tenant, subject, object_id, roles=(store.OWNER, store.SHOWN))
    if row is None:
        raise NotFound("There is no such object; list yours to see their ids.")
    return row
