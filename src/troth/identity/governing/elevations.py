"""Elevation: a further role for some hours, asked for with a reason and given by somebody who stands apart.

The role is a grant with an end like any other, so the policies know nothing of this. Owning is never lent: in an
emergency there is break-glass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select, update

from troth.identity.duties import check_person, is_custom
from troth.identity.governing.reasons import ELEVATION, Reasons
from troth.identity.governing.store import elevations
from troth.identity.roles import (
    OWNER,
    ROOM_AUDITOR,
    TENANT_ROLES,
    Roles,
    as_given,
    check_givable,
    lock_member,
    lock_tenant,
)
from troth.identity.store import LENT, grants
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound, TooMany
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.storage.database import Database

MOST_MINUTES, USUAL_MINUTES = 8 * 60, 60
ASKED, ACTIVE, REFUSED, ENDED = "asked", "active", "refused", "ended"
ELEVATED, BROKEN = "elevation", "break-glass"  # kinds
MOST_ASKED = 5  # questions of one person that wait
ACTOR = "svc_access"
LENDABLE = TENANT_ROLES - {OWNER, ROOM_AUDITOR}  # a room is opened for a person, not lent
_MINUTE_MS = 60_000
_WAITS_MS = 24 * 3600 * 1000  # a question that nobody answers lapses
_SHOWN_MS = 90 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Elevation:
    """One elevation or break-glass. Times in epoch milliseconds; `reason` is opened only for who may read it."""

    id: str
    tenant: str
    user: str
    role: str
    kind: str
    state: str
    minutes: int
    asked_at: int
    decided_by: str | None
    granted_at: int | None
    expires_at: int
    ended_by: str | None
    ended_at: int | None
    verdict: str | None
    reviewed_by: str | None
    reviewed_at: int | None
    reason: str | None = None


COLUMNS = [elevations.c[name] for name in Elevation.__dataclass_fields__ if name != "reason"]


class Elevations:
    """All elevations."""

    def __init__(self, database: Database, roles: Roles, reasons: Reasons, recorder: Recorder, clock: Clock) -> None:
        self.database = database
        self.roles = roles
        self.reasons = reasons
        self.recorder = recorder
        self.clock = clock

    def ask(self, by: Caller, role: str, minutes: int, reason: str) -> Elevation:
        """Ask for a role. Raises `Denied` (weak session), `Invalid`, `Conflict` (`role-held`, …), `TooMany`."""
        user, tenant = require_person(by)
        if role not in LENDABLE and not is_custom(role):
            raise Invalid(f"Choose a role among: {', '.join(sorted(LENDABLE))}.", code="unknown-role", field="role")
        now, sealed = self.now(), self.reasons.sealed(tenant, user, reason, ELEVATION)
        minutes = max(1, min(minutes, MOST_MINUTES))
        asked = fresh(tenant, user, role, kind=ELEVATED, minutes=minutes, now=now, until=now + _WAITS_MS)
        waiting = select(func.count()).where(elevations.c.user == user, elevations.c.state == ASKED)
        with self.database.write() as connection:
            lock_member(connection, tenant, user)
            if connection.execute(waiting.where(elevations.c.expires_at > now)).scalar_one() >= MOST_ASKED:
                raise TooMany(f"{MOST_ASKED} of your questions wait; withdraw one.", code="too-many-elevations")
            check_not_held(connection, user, role, now)
            check_person(connection, tenant, user, role, now)
            add(connection, asked, sealed)
        return asked

    def approve(self, by: Caller, elevation: str) -> Elevation:
        """Give the role, from now on. Raises `NotFound`, `Conflict` (`not-asked`, …), `Denied` (`not-apart`, …)."""
        with self.database.write() as connection:
            lock_tenant(connection, by.tenant)
            asked = self._waiting(connection, by, elevation)
            check_givable(as_given(by), frozenset({asked.role}))
            if not self.roles.stands_apart(connection, by.actor, asked.user, asked.asked_at):
                raise Denied(
                    "Somebody else approves this: who owned before it was asked, and not through the one who asks.",
                    code="not-apart",
                )
            check_not_held(connection, asked.user, asked.role, self.now())
            check_person(connection, by.tenant, asked.user, asked.role, self.now())
            lasting = asked.minutes * _MINUTE_MS
            made = self.roles.grant(connection, asked.user, asked.role, asked.id, lasting_ms=lasting)
            return self.changed(
                connection, asked, state=ACTIVE, decided_by=by.actor, granted_at=made.granted_at,
                expires_at=made.expires_at,
            )  # fmt: skip

    def refuse(self, by: Caller, elevation: str) -> Elevation:
        """Say no. Raises `NotFound`, `Conflict`, `Denied` (one's own: withdraw it)."""
        with self.database.write() as connection:
            lock_tenant(connection, by.tenant)
            asked = self._waiting(connection, by, elevation)
            check_givable(as_given(by), frozenset({asked.role}))
            if asked.user == by.subject:
                raise Denied("This is your own question; withdraw it.", code="own-elevation")
            return self.changed(connection, asked, state=REFUSED, decided_by=by.actor)

    def end(self, by: Caller, elevation: str, *, own: bool) -> Elevation:
        """End it now, or withdraw the question. `own`: one's own only; else anybody's whose role is yours to take.

        Raises `NotFound`, `Conflict` (`elevation-over`), `Denied`.
        """
        with self.database.write() as connection:
            lock_tenant(connection, by.tenant)
            found = one_of(connection, by.tenant, elevation)
            if own and found.user != by.subject:
                raise _no_such()
            if not own:
                check_givable(by, frozenset({found.role}))
            if found.state not in (ASKED, ACTIVE):
                raise Conflict("This is over already.", code="elevation-over")
            return self.ended(connection, found, by.actor)

    def all_of(self, tenant: str) -> Sequence[Elevation]:
        """Those of a tenant of the last 90 days, newest first, with reasons."""
        return self.shown(tenant, elevations.c.asked_at > self.now() - _SHOWN_MS)

    def of(self, tenant: str, user: str) -> Sequence[Elevation]:
        """Those of one person, newest first."""
        return self.shown(tenant, elevations.c.user == user)

    def sweep(self) -> int:
        """Say in the log of each elevation that its time is over, and drop its grant; how many. For a job."""
        over = select(*COLUMNS).where(elevations.c.state.in_((ASKED, ACTIVE)), elevations.c.expires_at <= self.now())
        with self.database.read() as connection:
            found = [Elevation(*row) for row in connection.execute(over)]
        for one in found:
            with self.database.write() as connection:
                lock_tenant(connection, one.tenant)
                if one_of(connection, one.tenant, one.id) == one:  # nobody ended it meanwhile
                    self.ended(connection, one, ACTOR)
        return len(found)

    def ended(self, connection: Sql, one: Elevation, by: str) -> Elevation:
        """End one in the caller's transaction, with the entry that says so."""
        same = grants.c.user == one.user, grants.c.role == one.role, grants.c.granted_at == one.granted_at
        if one.granted_at is not None:
            connection.execute(delete(grants).where(*same))
        facts: dict[str, Fact] = {"object": one.id, "user": one.user, "role": one.role, "state": one.state}
        self.recorder.record_within(connection, self.event(one, f"{_noun(one)}.ended", by, facts))
        return self.changed(connection, one, state=ENDED, ended_by=by, ended_at=self.now())

    def changed(self, connection: Sql, one: Elevation, **values: Any) -> Elevation:
        """One row with other values."""
        connection.execute(update(elevations).where(elevations.c.id == one.id).values(values))
        return replace(one, **values)

    def event(self, one: Elevation, name: str, actor: str, facts: dict[str, Fact], code: str | None = None) -> Entry:
        """An entry of the tenant's log about one of them."""
        outcome = Outcome.FAILED if code else Outcome.DONE
        return Entry(
            one.tenant, name, "event", outcome, new_id("req"), actor, one.tenant, self.now(), code, facts=facts
        )

    def now(self) -> int:
        """Epoch milliseconds."""
        return epoch_ms(self.clock.now())

    def _waiting(self, connection: Sql, by: Caller, elevation: str) -> Elevation:
        found = one_of(connection, by.tenant, elevation)
        if found.state != ASKED or found.expires_at <= self.now():
            raise Conflict(
                "This waits for nobody any more; it was decided, withdrawn, or has lapsed.", code="not-asked"
            )
        return found

    def shown(self, tenant: str, *which: Any) -> Sequence[Elevation]:
        """Those of a tenant that conditions find, newest first, with reasons."""
        query = select(*COLUMNS, elevations.c.reason).where(elevations.c.tenant == tenant, *which)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(elevations.c.asked_at.desc(), elevations.c.id)).all()
        found = [(Elevation(*row[:-1]), row[-1]) for row in rows]
        return [replace(one, reason=self.reasons.opened(tenant, one.user, why, ELEVATION)) for one, why in found]


def require_person(by: Caller) -> tuple[str, str]:
    """(person, tenant) of somebody who signed in with two factors. Raises `Denied`, `NotFound`."""
    if by.kind != "user" or by.subject is None or by.tenant is None:
        raise NotFound("This belongs to a person of a tenant; sign in as one.")
    if by.authentication.assurance < 2:
        raise Denied("Sign in with your second factor first.", code="second-factor-required")
    return by.subject, by.tenant


def fresh(tenant: str, user: str, role: str, *, kind: str, minutes: int, now: int, until: int) -> Elevation:
    """One that waits."""
    known: dict[str, Any] = {"tenant": tenant, "user": user, "role": role, "kind": kind, "minutes": minutes}
    known |= {"id": new_id(LENT), "state": ASKED, "asked_at": now, "expires_at": until}
    values: dict[str, Any] = dict.fromkeys(Elevation.__dataclass_fields__) | known
    return Elevation(**values)


def add(connection: Sql, one: Elevation, sealed: bytes) -> None:
    """Write a fresh one."""
    row = {column.name: getattr(one, column.name) for column in COLUMNS}
    connection.execute(insert(elevations), row | {"reason": sealed, "warned_day": 0})


def one_of(connection: Sql, tenant: str | None, elevation: str) -> Elevation:
    """One of a tenant. Raises `NotFound`."""
    mine = select(*COLUMNS).where(elevations.c.id == elevation, elevations.c.tenant == tenant)
    row = connection.execute(mine).first()
    if row is None:
        raise _no_such()
    return Elevation(*row)


def check_not_held(connection: Sql, user: str, role: str, now: int) -> None:
    """Raises `Conflict` (`role-held`) for a role that the person has already: its end would be moved."""
    held = select(grants.c.role).where(grants.c.user == user, grants.c.role == role, grants.c.expires_at > now)
    if connection.execute(held).first() is not None:
        raise Conflict("The person has this role already.", code="role-held")


def end_all(connection: Sql, ledger: Elevations, user: str, by: str) -> int:
    """End everything that a person asked for or holds, in the caller's transaction; how many there were."""
    mine = select(*COLUMNS).where(elevations.c.user == user, elevations.c.state.in_((ASKED, ACTIVE)))
    found = [Elevation(*row) for row in connection.execute(mine)]
    for one in found:
        ledger.ended(connection, one, by)
    return len(found)


def _noun(one: Elevation) -> str:
    return "emergency" if one.kind == BROKEN else "elevation"


def _no_such() -> NotFound:
    return NotFound("There is no such elevation; list them to see their ids.", code="elevation-not-found")


def end_others(ledger: Elevations, tenant: str, user: str, by: str) -> int:
    """Close what is left of elevations whose roles a change of place took; how many there were."""
    with ledger.database.write() as connection:
        lock_tenant(connection, tenant)
        return end_all(connection, ledger, user, by)
