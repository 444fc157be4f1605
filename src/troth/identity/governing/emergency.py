"""Break-glass: a person whom an owner designated takes a role alone, with a passkey, for an hour at most, and loudly.

Owners are told (page and mail), the log has an entry of high severity, every use is among the acts that reviewers
judge, and each use is itself reviewed by an owner who was one before or becomes overdue; until then its person takes no
other. A role taken so approves nothing and counts for no last owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select, update

from troth.identity.duties import check_person
from troth.identity.governing.custom_roles import require_owner
from troth.identity.governing.elevations import (
    ACTIVE,
    ACTOR,
    BROKEN,
    COLUMNS,
    ENDED,
    Elevation,
    Elevations,
    add,
    check_not_held,
    fresh,
    one_of,
    require_person,
)
from troth.identity.governing.reasons import ELEVATION
from troth.identity.governing.store import break_glass, elevations
from troth.identity.own_account import FRESH_SECONDS, require_bound
from troth.identity.roles import GIVEN, OWNER, check_givable, lock_member, lock_tenant
from troth.identity.store import grants, users
from troth.kernel.caller import Caller
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.journal import Journal
from troth.kernel.record import Fact
from troth.kernel.scope import as_system

MOST_MINUTES = 60
MOST_DAYS, USUAL_DAYS = 365, 90
_MINUTE_MS, _DAY_MS = 60_000, 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Designation:
    """Who may take which role in an emergency. Times in epoch milliseconds."""

    user: str
    role: str
    designated_by: str
    designated_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What owners are to be told of: who took which role until when, and the people to tell."""

    use: Elevation
    owners: tuple[str, ...]


class Emergencies:
    """Designations and uses. `due_days`: within which a use must be reviewed."""

    def __init__(self, ledger: Elevations, journal: Journal, due_days: int) -> None:
        self._ledger = ledger
        self._database = ledger.database
        self._journal = journal
        self._due_ms = due_days * _DAY_MS

    def designate(self, by: Caller, user: str, role: str, days: int) -> Designation:
        """Let a person take a role in an emergency. Raises `Denied` (`owner-only`, `own-role`), `NotFound`."""
        require_owner(by)
        check_givable(by, frozenset({role}))
        if by.subject == user:
            raise Denied("Nobody designates themselves; ask another owner.", code="own-role")
        now = self._ledger.now()
        made = Designation(user, role, by.actor, now, now + min(days, MOST_DAYS) * _DAY_MS)
        values = {name: getattr(made, name) for name in Designation.__dataclass_fields__} | {"tenant": by.tenant}
        with self._database.write() as connection:
            lock_member(connection, by.tenant, user)
            connection.execute(delete(break_glass).where(break_glass.c.user == user))
            connection.execute(insert(break_glass), values)
        return made

    def withdraw(self, by: Caller, user: str) -> None:
        """Take it back. Raises `Denied`, `NotFound`."""
        require_owner(by)
        with self._database.write() as connection:
            mine = delete(break_glass).where(break_glass.c.user == user, break_glass.c.tenant == by.tenant)
            if not connection.execute(mine).rowcount:
                raise NotFound("Nobody of that id is designated.", code="not-designated")

    def designated(self, tenant: str) -> list[Designation]:
        """Who is, the first to end first."""
        columns = [break_glass.c[name] for name in Designation.__dataclass_fields__]
        lasting = select(*columns).where(break_glass.c.tenant == tenant, break_glass.c.expires_at > self._ledger.now())
        with self._database.read() as connection:
            return [Designation(*row) for row in connection.execute(lasting.order_by(break_glass.c.expires_at))]

    def use(self, by: Caller, minutes: int, reason: str) -> Elevation:
        """Take the role now.

        Raises `Denied` (`not-designated`, `passkey-required`, `device-unbound`), `Conflict` (`role-held`,
        `use-unreviewed`, `duties-apart`).
        """
        user, tenant = require_person(by)
        _require_strong(by)
        sealed, now = self._ledger.reasons.sealed(tenant, user, reason, ELEVATION), self._ledger.now()
        minutes = max(1, min(minutes, MOST_MINUTES))
        mine = select(break_glass.c.role).where(break_glass.c.user == user, break_glass.c.expires_at > now)
        mine = mine.where(_standing(now))
        with self._database.write() as connection:
            lock_member(connection, tenant, user)
            role = connection.execute(mine.where(break_glass.c.tenant == tenant)).scalar()
            if role is None:
                raise Denied("No owner designated you for emergencies; ask for an elevation.", code="not-designated")
            self._check_judged(connection, user)
            check_not_held(connection, user, role, now)
            check_person(connection, tenant, user, role, now)
            asked = fresh(tenant, user, role, kind=BROKEN, minutes=minutes, now=now, until=now)
            add(connection, asked, sealed)
            grant = self._ledger.roles.grant(connection, user, role, asked.id, lasting_ms=minutes * _MINUTE_MS)
            times = {"granted_at": grant.granted_at, "expires_at": grant.expires_at}
            taken = self._ledger.changed(connection, asked, state=ACTIVE, decided_by=user, **times)
            facts: dict[str, Fact] = {"object": taken.id, "user": user, "role": role, "expires": taken.expires_at}
            facts["counts"] = dict.fromkeys(self._owners(connection, taken), 1)  # who is to be told
            self._ledger.recorder.record_within(
                connection, self._ledger.event(taken, "emergency.opened", by.actor, facts)
            )
        self._journal.event("break-glass", log=tenant, count=1)
        return taken

    def review(self, by: Caller, use: str, verdict: str) -> Elevation:
        """Say whether a use was right. Raises `NotFound`, `Denied` (`own-act`, …), `Conflict` (`judged`, …)."""
        with self._database.write() as connection:
            lock_tenant(connection, by.tenant)
            found = one_of(connection, by.tenant, use)
            if found.kind != BROKEN:
                raise NotFound("There is no such use of emergency access.", code="elevation-not-found")
            if by.subject == found.user:
                raise Denied("Somebody else judges this: it is your own act.", code="own-act")
            if found.state != ENDED:
                raise Conflict("It has not ended yet; end it first.", code="still-active")
            if found.verdict is not None:
                raise Conflict("This was judged already, and a verdict stands.", code="judged")
            self._check_apart(connection, by, found)
            return self._ledger.changed(
                connection, found, verdict=verdict, reviewed_by=by.actor, reviewed_at=self._ledger.now()
            )

    def open_uses(self, tenant: str) -> Sequence[Elevation]:
        """Uses that run, or that nobody reviewed yet, with what was said of them."""
        return self._ledger.shown(tenant, elevations.c.kind == BROKEN, elevations.c.verdict.is_(None))

    def waiting(self, tenant: str) -> int:
        """How many those are."""
        unjudged = elevations.c.tenant == tenant, elevations.c.kind == BROKEN, elevations.c.verdict.is_(None)
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).where(*unjudged)).scalar_one())

    def due_at(self, use: Elevation) -> int:
        """When a use must have been reviewed, in epoch milliseconds."""
        return use.asked_at + self._due_ms

    def notices(self) -> list[Notice]:
        """Uses of which owners were not told by mail yet; one that nobody could be told of waits. For a job."""
        untold = select(*COLUMNS).where(elevations.c.kind == BROKEN, elevations.c.told_at.is_(None))
        with self._database.read() as connection:
            uses = [Elevation(*row) for row in connection.execute(untold.order_by(elevations.c.asked_at))]
            found = [Notice(use, tuple(self._owners(connection, use))) for use in uses]
        return [one for one in found if one.owners]

    def told(self, use: str) -> None:
        """Owners were told of the use of this id."""
        with self._database.write() as connection:
            connection.execute(update(elevations).where(elevations.c.id == use).values(told_at=self._ledger.now()))

    @as_system
    def warn(self) -> int:
        """Say in the log, at most once a day each, which uses nobody reviewed in time; how many. For a job."""
        now = self._ledger.now()
        today = now // _DAY_MS
        late = elevations.c.kind == BROKEN, elevations.c.verdict.is_(None), elevations.c.asked_at <= now - self._due_ms
        unsaid = elevations.c.warned_day < today
        with self._database.read() as connection:
            found = [Elevation(*row) for row in connection.execute(select(*COLUMNS).where(*late, unsaid))]
        for use in found:
            with self._database.write() as connection:
                connection.execute(update(elevations).where(elevations.c.id == use.id).values(warned_day=today))
                facts: dict[str, Fact] = {"object": use.id, "user": use.user, "expires": self.due_at(use)}
                entry = self._ledger.event(use, "emergency.overdue", ACTOR, facts, code="overdue")
                self._ledger.recorder.record_within(connection, entry)
            self._journal.event("break-glass-overdue", log=use.tenant, count=1)
        return len(found)

    def _owners(self, connection: Sql, use: Elevation) -> dict[str, int]:
        """The other active owners by gift, with when (epoch ms) they were given it."""
        owning = select(grants.c.user, grants.c.granted_at).join(users, grants.c.user == users.c.id).where(GIVEN)
        here = users.c.tenant == use.tenant, users.c.active.is_(True), users.c.id != use.user
        lasting = owning.where(*here, grants.c.role == OWNER, grants.c.expires_at > self._ledger.now())
        return {row.user: row.granted_at for row in connection.execute(lasting.order_by(grants.c.user))}

    def _check_apart(self, connection: Sql, by: Caller, use: Elevation) -> None:
        owners = self._owners(connection, use)
        before = {one for one, at in owners.items() if at <= use.asked_at}
        if by.subject not in (before or owners):  # of those of before nobody may be left
            raise Denied("An owner judges this who was one before it happened.", code="not-apart")

    def _check_judged(self, connection: Sql, user: str) -> None:
        open_ = elevations.c.user == user, elevations.c.kind == BROKEN, elevations.c.verdict.is_(None)
        if connection.execute(select(elevations.c.id).where(*open_)).first() is not None:
            raise Conflict("An owner judges your last use first; ask one.", code="use-unreviewed")


def _standing(now: int) -> Any:
    """A condition: whoever designated still owns. Of a person of the tenant; others lose nothing."""
    people = select(users.c.id).where(users.c.id == break_glass.c.designated_by)
    owning = people.join(grants, grants.c.user == users.c.id).where(users.c.active.is_(True), GIVEN)
    return ~people.exists() | owning.where(grants.c.role == OWNER, grants.c.expires_at > now).exists()


def _require_strong(by: Caller) -> None:
    proof = by.authentication
    if not proof.phishing_resistant or proof.age_seconds > FRESH_SECONDS:
        raise Denied(
            "Show a passkey first: emergency access needs one that was shown in the last 15 minutes.",
            code="passkey-required",
        )
    require_bound(by)
