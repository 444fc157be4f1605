"""Entering what is asked to be erased into the ledger: one erasure per target, weighed for dual control."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from troth.kernel.errors import Gone, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.vault import endings, ledger, store
from troth.vault.dual_control import DualControl
from troth.vault.erasure_marks import Marks, require_object
from troth.vault.ground import Ground, subject_digest, tenant_digest
from troth.vault.ledger import Erasure

_NOT_BEGUN = (ledger.WAITING, ledger.CLOSING, ledger.HELD, ledger.REQUESTED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants erased: an object or a person, a class of a tenant before a moment, or a tenant."""

    tenant: str
    scope: str
    actor: str
    request: str
    subject: str = ""
    object: str | None = None
    data_class: str | None = None
    before: int | None = None

    @property
    def who(self) -> str:
        """The actor as the ledger may keep them: what a person asks about themselves does not name them."""
        return ledger.PERSON if self.subject and self.actor == self.subject else self.actor

    @property
    def digest(self) -> str:
        """Of the person, or of the tenant."""
        return subject_digest(self.tenant, self.subject) if self.subject else tenant_digest(self.tenant)


class Requests:
    """The way into the ledger."""

    def __init__(self, ground: Ground, marks: Marks, control: DualControl) -> None:
        self._ground = ground
        self._marks = marks
        self._control = control

    def enter(self, wish: Wish, *, immediate: bool) -> Erasure:
        """The erasure of that target: the one that there is, or a fresh one. Raises `NotFound`, `Gone`, `Conflict`.

        What an officer asked for becomes a person's own when they ask too: no approval, no delay, no calling off.
        """
        with self._ground.database.write() as connection:
            target, found = self._target(connection, wish)
            if found or (found := ledger.by_target(connection, target)):
                return self._taken_over(connection, found, wish)
            people = self._people(connection, wish)
            state, delay = self._control.weigh(connection, wish.scope, wish.who, people, immediate=immediate)
            erasure = self._fresh(wish, target, people, state, delay)
            self._marks.check_may_leave(connection, erasure)
            if ledger.add(connection, erasure):
                self._event(connection, erasure)
                return erasure
            return ledger.by_target(connection, target) or erasure

    def _taken_over(self, connection: Connection, found: Erasure, wish: Wish) -> Erasure:
        """The erasure, as the person's own when it is they who ask and nothing has begun."""
        now = ledger.lock(connection, found.id) or found
        begun = now.state not in _NOT_BEGUN or ledger.result(connection, now.id, "tombstone") is not None
        if wish.who != ledger.PERSON or now.own or begun or now.scope not in (ledger.SUBJECT, ledger.OBJECT):
            return now
        self._marks.check_may_leave(connection, now)
        state = ledger.HELD if now.state == ledger.HELD else ledger.REQUESTED
        own = {"actor": ledger.PERSON, "request": wish.request, "requested_at": self._ground.now()}
        ledger.change(connection, now.id, state=state, delay=0, due_at=None, **own)
        after = ledger.by_id(connection, now.id) or now
        self._event(connection, after)
        return after

    def _fresh(self, wish: Wish, target: str, people: int, state: str, delay: int) -> Erasure:
        now = self._ground.now()
        waits = state == ledger.WAITING or not delay
        return Erasure(
            id=new_id("ers"),
            target=target,
            tenant=wish.tenant,
            scope=wish.scope,
            subject=wish.subject or None,
            subject_digest=wish.digest,
            object=wish.object,
            data_class=wish.data_class,
            before=wish.before,
            people=people,
            delay=delay,
            due_at=None if waits else now + delay,
            state=state,
            actor=wish.who,
            request=wish.request,
            requested_at=now,
            salt=secrets.token_bytes(32),
        )

    def _target(self, connection: Connection, wish: Wish) -> tuple[str, Erasure | None]:
        if wish.object:
            return self._object_target(connection, wish, wish.object)
        if wish.scope == ledger.PERIOD:
            return f"period:{wish.tenant}:{wish.data_class}:{wish.before}", None
        return (ledger.person_target(wish.digest) if wish.subject else ledger.tenant_target(wish.tenant)), None

    @staticmethod
    def _object_target(connection: Connection, wish: Wish, object_id: str) -> tuple[str, Erasure | None]:
        """The target, and the erasure that took the object already. Raises `NotFound`, `Gone`."""
        row = require_object(connection, wish.tenant, wish.subject, object_id)
        target = f"object:{object_id}:{wish.digest}" if row.shared else f"object:{object_id}"
        known = ledger.by_target(connection, target)
        if known or row.state in (store.LIVE, store.CLOSED):
            return target, known
        taken = ledger.by_id(connection, row.erasure) if row.erasure else None
        if taken and (taken.subject_digest == wish.digest or taken.scope not in (ledger.SUBJECT, ledger.OBJECT)):
            return target, taken  # never one of somebody else, who was shown in it
        raise Gone("This object was deleted or has expired; there is nothing left to erase.")

    @staticmethod
    def _people(connection: Connection, wish: Wish) -> int:
        if wish.scope != ledger.PERIOD:
            return len(endings.subjects_of(connection, wish.tenant)) if wish.scope == ledger.TENANT else 1
        which = endings.kept_before(wish.tenant, wish.data_class or "", wish.before or 0)
        people = endings.people_of(connection, which)
        if not people:
            raise NotFound("Nothing of that class was kept before that moment.", code="nothing-to-erase")
        return people

    def _event(self, connection: Connection, erasure: Erasure) -> None:
        facts: dict[str, Fact] = {"erasure": erasure.id, "kinds": {erasure.scope: 1}, "count": erasure.people}
        entry = self._ground.entry("erasure.requested", erasure.tenant, erasure.request, erasure.actor, facts)
        self._ground.event(connection, entry)
