"""Auditors for a time: they read the log of one tenant and nothing else of it, and their access ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection as Sql
from sqlalchemy import Select, delete, exists, select, update

from troth.identity.roles import AUDITOR, MOST_DAYS, ROOM_AUDITOR, Grant, Roles, check_givable, lock_member
from troth.identity.sessions import end_all
from troth.identity.store import grants, sessions, users
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Denied, NotFound, TrothError
from troth.kernel.scope import as_system
from troth.storage.database import Database

_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Auditor:
    """Who may read the log, by whom and until when (epoch milliseconds)."""

    user: str
    granted_by: str
    granted_at: int
    expires_at: int


class Auditors:
    """Grants of the auditor's role with an end of their own. The role counts no longer from that moment on."""

    def __init__(self, database: Database, roles: Roles, clock: Clock) -> None:
        self._database = database
        self._roles = roles
        self._clock = clock

    def grant(self, giver: Caller, user: str, days: int) -> Grant:
        """Let a person of the giver's tenant read its log for `days`, in place of any grant before.

        Raises `Denied` (`role-not-yours`, `own-role`), `NotFound`.
        """
        check_givable(giver, frozenset({AUDITOR}))
        if giver.subject == user:
            raise Denied("Nobody gives themselves a role; ask another administrator.", code="own-role")
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            lasting = self._roles.longest(connection, giver, AUDITOR, days * _DAY_MS)
            return self._roles.grant(connection, user, AUDITOR, giver.actor, lasting_ms=lasting)

    def list(self, tenant: str) -> list[Auditor]:
        """Who may read the log now, the first to end first."""
        columns = (grants.c.user, grants.c.granted_by, grants.c.granted_at, grants.c.expires_at)
        query = select(*columns).join(users, grants.c.user == users.c.id)
        now = epoch_ms(self._clock.now())
        lasting = query.where(users.c.tenant == tenant, grants.c.role == AUDITOR, grants.c.expires_at > now)
        with self._database.read() as connection:
            return [Auditor(*row) for row in connection.execute(lasting.order_by(grants.c.expires_at))]

    def revoke(self, giver: Caller, user: str) -> int:
        """End it now; sessions of somebody who has no other role end with it. Gives how many. Raises as `grant`."""
        check_givable(giver, frozenset({AUDITOR}))
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            held = delete(grants).where(grants.c.user == user, grants.c.role == AUDITOR)
            if not connection.execute(held).rowcount:
                raise NotFound("This person is no auditor; list the auditors.", code="role-not-found")
            return 0 if self._stands(connection, user) else end_all(connection, user)

    @as_system
    def end_with_rooms(self, lasting: Callable[[str], Mapping[str, int]]) -> int:
        """Let the role of a room end with the last room of its holder; how many ended sooner than they were given for.

        `lasting`: for the people of a tenant until when (epoch ms) they have, or had, a room. Who had none since the
        role was given waits for one as long as it was given for. For a job. Raises what the last tenant raised that
        could not be looked at (TrothError), when all others were.
        """
        now, ended, failed = epoch_ms(self._clock.now()), 0, None
        held = grants.c.role == ROOM_AUDITOR, grants.c.expires_at > now
        query = select(users.c.tenant, *grants.c["user", "granted_at", "expires_at"])
        with self._database.read() as connection:
            rows = connection.execute(query.join(users, grants.c.user == users.c.id).where(*held)).all()
        for tenant in sorted({row.tenant for row in rows}):
            try:
                rooms = lasting(tenant)
            except TrothError as error:
                failed = error
                continue
            for _, user, given, expires in (row for row in rows if row.tenant == tenant):
                until = rooms.get(user, expires)
                if given <= until < expires:
                    ended += self._end_at(user, given, max(until, now))
        if failed is not None:
            raise failed
        return ended

    def _end_at(self, user: str, given: int, end: int) -> int:
        """Unless the role was given again meanwhile."""
        mine = grants.c.user == user, grants.c.role == ROOM_AUDITOR, grants.c.granted_at == given
        with self._database.write() as connection:
            return connection.execute(update(grants).where(*mine).values(expires_at=end)).rowcount

    def sweep(self) -> int:
        """End the sessions of auditors whose time is over and who have no other role; how many. For a job.

        Grants of a year, as they were given once, end after 90 days like all others.
        """
        now = epoch_ms(self._clock.now())
        end = grants.c.granted_at + MOST_DAYS * _DAY_MS
        over = select(grants.c.user).where(grants.c.role.in_((AUDITOR, ROOM_AUDITOR)), grants.c.expires_at <= now)
        idle = sessions.c.user.in_(over), ~sessions.c.user.in_(_lasting(now))
        long = update(grants).where(grants.c.role == AUDITOR, grants.c.expires_at > end)
        with self._database.write() as connection:
            connection.execute(long.values(expires_at=end))
            return connection.execute(delete(sessions).where(*idle)).rowcount

    def _stands(self, connection: Sql, user: str) -> bool:
        mine = _lasting(epoch_ms(self._clock.now())).where(grants.c.user == user)
        return bool(connection.execute(select(exists(mine))).scalar())


def _lasting(now: int) -> Select[tuple[str]]:
    return select(grants.c.user).where(grants.c.expires_at > now)
