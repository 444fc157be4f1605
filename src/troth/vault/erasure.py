"""Forgetting a person or an object, as a durable workflow: every step is idempotent, a crash anywhere resumes.

requested -> held? -> tombstone -> each holder forgets -> keys destroyed -> journal emptied -> what was erased must not
open -> ciphertext deleted -> audit entry -> proof -> signed certificate. The ledger holds all state, memory none.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from troth.kernel.errors import Conflict, Gone, NotFound, TrothError, Unavailable
from troth.kernel.ids import new_id
from troth.vault import endings, fences, ledger, store
from troth.vault.deadlines import DAY_MS
from troth.vault.erasure_steps import Steps
from troth.vault.ground import Ground, subject_digest
from troth.vault.holds import Hold, binding, binding_person
from troth.vault.ledger import Erasure

SUBJECT_COPY_DAYS = 30  # how long the salt of the person's copy can be handed over; GDPR Art. 12(3), one month
_HELD = "A legal duty to keep this is on record; your request is kept and completes when the hold is lifted."


class Guard(Protocol):
    """Knows who may not leave; bound in the wiring, for the vault knows no roles."""

    def check_may_leave(self, connection: Connection, tenant: str, subject: str, leaving: Collection[str]) -> None:
        """Raises `Conflict` when the tenant needs this person, once those who are `leaving` are gone.

        Holds until the transaction of `connection` ends: two people who leave at once wait for each other.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to see an erasure; `duty`: requests of the tenant's people, or their audit, are this person's duty."""

    tenant: str
    subject: str
    actor: str
    duty: bool

    def may_see(self, erasure: Erasure) -> bool:
        """True for who asked, for the person concerned (even after they are forgotten), and by duty."""
        concerned = erasure.subject_digest == subject_digest(self.tenant, self.subject)
        return self.duty or concerned or erasure.actor == self.actor


class Erasures:
    """Erasures of people and objects."""

    def __init__(self, ground: Ground, steps: Steps, guard: Guard) -> None:
        self._ground = ground
        self._steps = steps
        self._guard = guard

    def request(
        self,
        tenant: str,
        subject: str,
        *,
        actor: str,
        request: str,
        object_id: str | None = None,
        must_exist: bool = False,
    ) -> Erasure:
        """Erase a person, or one of their objects with all that derives from it. Durable before anything is touched.

        A second request for the same target gives the same erasure. What cannot be completed now (a key domain or the
        log is away) is live already and stays `running`; `resume` completes it. Raises `NotFound` or `Gone` for an
        object that is not there, `Conflict` (held) under a legal hold: the request stays and completes when it is
        lifted. `Conflict` (last-owner) for the last owner of a tenant with other people: nothing is asked then.
        `must_exist` refuses (`NotFound`) a person of whom no holder has anything.
        """
        if must_exist and not self._known(tenant, subject):
            raise NotFound("Nothing is kept of such a person in your tenant.")
        erasure = self._register(tenant, subject, object_id, actor, request)
        try:
            erasure = self.advance(erasure.id)
        except (Unavailable, Conflict):
            erasure = self._read(erasure.id)
            if erasure.state == ledger.REQUESTED:
                raise
        if erasure.state == ledger.HELD:
            raise Conflict(_HELD, code="held")
        return erasure

    def advance(self, erasure_id: str) -> Erasure:
        """Do the steps that are not done; returns the erasure as it then stands.

        Raises `Unavailable` when something it needs is away, `IntegrityError` when an erased thing still opens: then
        there is no certificate.
        """
        erasure = self._read(erasure_id)
        if erasure.state == ledger.DONE or not self._tombstone(erasure):
            return self._read(erasure_id)
        self._steps.run(erasure)
        return self._read(erasure_id)

    def resume(self) -> list[Erasure]:
        """Go on with every unfinished erasure, held ones too; what still cannot be finished stays for next time."""
        with self._ground.database.read() as connection:
            waiting = ledger.unfinished(connection)
        finished = []
        for erasure in waiting:
            try:
                finished.append(self.advance(erasure.id))
            except TrothError:
                finished.append(self._read(erasure.id))
        return finished

    def show(self, tenant: str, erasure_id: str) -> Erasure:
        """An erasure of this tenant. Raises `NotFound`."""
        erasure = self._read(erasure_id)
        if erasure.tenant != tenant:
            raise _unknown()
        return erasure

    def shown_to(self, reader: Reader, erasure_id: str) -> Erasure:
        """An erasure that this reader may see. Raises `NotFound`, also for one of somebody else."""
        erasure = self.show(reader.tenant, erasure_id)
        if not reader.may_see(erasure):
            raise _unknown()
        return erasure

    def certificate_for(self, reader: Reader, certificate_id: str) -> bytes:
        """The signed document, for who may see its erasure. Raises `NotFound`, also for one of somebody else."""
        with self._ground.database.read() as connection:
            erasure = ledger.by_certificate(connection, reader.tenant, certificate_id)
        if erasure is not None and not reader.may_see(erasure):
            erasure = None
        return self.certificate(reader.tenant, certificate_id if erasure else "")

    def all(self, tenant: str) -> list[Erasure]:
        """The erasures of a tenant, newest first."""
        with self._ground.database.read() as connection:
            return ledger.of_tenant(connection, tenant)

    def certificate(self, tenant: str, certificate_id: str) -> bytes:
        """The signed document. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            envelope = ledger.envelope_of(connection, tenant, certificate_id)
        if envelope is None:
            raise NotFound("There is no such certificate; its id is in the answer to the erasure.")
        return envelope

    def tidy(self) -> int:
        """Forget the salts whose time has passed; returns how many."""
        with self._ground.database.write() as connection:
            return ledger.wipe_salts(connection, self._ground.now() - SUBJECT_COPY_DAYS * DAY_MS)

    def _known(self, tenant: str, subject: str) -> bool:
        with self._ground.database.read() as connection:
            before = ledger.by_target(connection, _person(tenant, subject))
        return before is not None or self._steps.holds_anything(tenant, subject)

    def _register(self, tenant: str, subject: str, object_id: str | None, actor: str, request: str) -> Erasure:
        digest = subject_digest(tenant, subject)
        with self._ground.database.write() as connection:
            target = f"object:{object_id}" if object_id else _person(tenant, subject)
            known = ledger.by_target(connection, target)
            if object_id and (found := self._object_erasure(connection, tenant, subject, object_id, known)):
                return found
            if known:
                return known
            self._check_may_leave(connection, tenant, subject, object_id)
            erasure = Erasure(
                id=new_id("ers"),
                target=target,
                tenant=tenant,
                scope="object" if object_id else "subject",
                subject=subject,
                subject_digest=digest,
                object=object_id,
                state=ledger.REQUESTED,
                basis=None,
                actor=ledger.PERSON if actor == subject else actor,
                request=request,
                requested_at=self._ground.now(),
                completed_at=None,
                salt=secrets.token_bytes(32),
                certificate=None,
            )
            if ledger.add(connection, erasure):
                self._event(connection, erasure, "erasure.requested")
                return erasure
            return ledger.by_target(connection, target) or erasure

    def _object_erasure(
        self, connection: Connection, tenant: str, subject: str, object_id: str, known: Erasure | None
    ) -> Erasure | None:
        """The erasure that took, or is about to take, this object; None for a live one. Raises `NotFound`, `Gone`."""
        row = store.find(connection, tenant, subject, object_id)
        if row is None:
            raise NotFound("There is no such object; list yours to see their ids.")
        if known or row.state == store.LIVE:
            return known
        if row.erasure and (taken := ledger.by_id(connection, row.erasure)):
            return taken
        raise Gone("This object was deleted or has expired; there is nothing left to erase.")

    def _tombstone(self, erasure: Erasure) -> bool:
        """Close the fence: from this commit on nothing opens and nothing new can be kept. False under a hold."""
        with self._ground.database.write() as connection:
            if ledger.result(connection, erasure.id, "tombstone") is not None:
                return True
            held = self._hold(connection, erasure)
            if held:
                ledger.change(connection, erasure.id, state=ledger.HELD, basis=held.basis)
                return False
            if erasure.state == ledger.HELD:  # the tenant's people may have changed since it was asked
                self._check_may_leave(connection, erasure.tenant, erasure.subject, erasure.object)
            if erasure.object:
                endings.mark_closure(connection, [erasure.object], "erased", erasure.id)
            else:
                fences.end(connection, erasure.subject_digest, erasure.id, self._ground.now())
            ledger.change(connection, erasure.id, state=ledger.RUNNING, basis=None)
            if ledger.done(connection, erasure.id, "tombstone", self._ground.now(), {}):
                self._event(connection, erasure, "erasure.tombstoned")
        return True

    def _hold(self, connection: Connection, erasure: Erasure) -> Hold | None:
        now = self._ground.now()
        if erasure.object:
            ids = store.closure(connection, [erasure.object])
            return binding(connection, now, erasure.tenant, erasure.subject_digest, ids)
        return binding_person(connection, now, erasure.tenant, erasure.subject or "")

    def _check_may_leave(self, connection: Connection, tenant: str, subject: str | None, object_id: str | None) -> None:
        if subject and not object_id:
            self._guard.check_may_leave(connection, tenant, subject, ledger.leaving(connection, tenant))

    def _event(self, connection: Connection, erasure: Erasure, operation: str) -> None:
        entry = self._ground.entry(
            operation,
            erasure.tenant,
            erasure.request,
            erasure.actor,
            {"erasure": erasure.id, "kinds": {erasure.scope: 1}},
        )
        self._ground.event(connection, entry)

    def _read(self, erasure_id: str) -> Erasure:
        with self._ground.database.read() as connection:
            found = ledger.by_id(connection, erasure_id)
        if found is None:
            raise _unknown()
        return found


def _unknown() -> NotFound:
    return NotFound("There is no such erasure; its id is in the answer to the request.")


def _person(tenant: str, subject: str) -> str:
    return f"subject:{subject_digest(tenant, subject)}"
