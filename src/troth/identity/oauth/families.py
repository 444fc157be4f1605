"""Refresh tokens of the command line: each is good once. One that comes a second time ends the whole family, which is
the session that one sign-in opened: one of two holders is a thief (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from troth.identity.oauth.refusals import bad_grant
from troth.identity.oauth.service_tokens import digest
from troth.identity.oauth.store import refreshes
from troth.identity.sessions import Sessions
from troth.identity.store import OPERATORS, sessions, users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.scope import as_system
from troth.storage.database import Database

_PREFIX = "troth_rt_"


@dataclass(frozen=True, slots=True)
class Family:
    """One sign-in: the session that its tokens open, whose it is, and the key that it is bound to."""

    session: str
    user: str
    thumbprint: str
    expires_at: int


class Families:
    """All refresh tokens of all people."""

    def __init__(self, database: Database, clock: Clock, kept: Sessions) -> None:
        self._database = database
        self._clock = clock
        self._sessions = kept

    @as_system
    def begin(self, family: Family) -> str:
        """The first refresh token of a session."""
        return self._added(family)

    @as_system  # nobody is known yet
    def turn(self, token: str, thumbprint: str) -> tuple[Family, str]:
        """Use a refresh token up; the family, and the next one.

        Raises `GrantRefused` (`invalid-grant`) for one that is unknown, over, of another key, or of a session that
        ended or rests too long; for one that was used the session ends too.
        """
        now = self._now()
        with self._database.write() as sql:
            row = sql.execute(select(refreshes).where(refreshes.c.digest == digest(token)).with_for_update()).first()
            if row is None or not secrets.compare_digest(row.thumbprint, thumbprint):
                raise bad_grant()
            this = (refreshes.c.digest == row.digest) & refreshes.c.used_at.is_(None)
            first = sql.execute(update(refreshes).where(this).values(used_at=now)).rowcount == 1
        family = Family(row.session, row.user, row.thumbprint, row.expires_at)
        if not first:
            self.end(family.session)
        if not first or now >= row.expires_at or not self.stands(family.user, family.session):
            raise bad_grant()
        return family, self._added(family)

    @as_system  # whoever holds a token may ask to end it
    def find(self, token: str) -> Family | None:
        """The family of a refresh token, or of the access token that goes with it; None when there is none."""
        held = sessions.c.digest == digest(token)
        of_access = select(refreshes).join(sessions, sessions.c.id == refreshes.c.session).where(held)
        with self._database.read() as sql:
            row = sql.execute(select(refreshes).where(refreshes.c.digest == digest(token))).first()
            row = row or sql.execute(of_access.limit(1)).first()
        return None if row is None else Family(row.session, row.user, row.thumbprint, row.expires_at)

    @as_system
    def stands(self, user: str, session: str) -> bool:
        """Whether a person may still come in, and their session is neither over nor ended."""
        with self._database.read() as sql:
            active = sql.execute(select(users.c.active).where(users.c.id == user)).scalar()
        return bool(active) and any(one.id == session for one in self._sessions.list(user))

    def tenant_of(self, user: str) -> tuple[str, bool]:
        """A person's tenant, and whether that is the operators' place outside all of them."""
        with self._database.read() as sql:
            tenant = str(sql.execute(select(users.c.tenant).where(users.c.id == user)).scalar_one())
        return tenant, tenant == OPERATORS

    def end(self, session: str) -> None:
        """End a session with all its refresh tokens."""
        with self._database.write() as sql:
            sql.execute(delete(refreshes).where(refreshes.c.session == session))
            sql.execute(delete(sessions).where(sessions.c.id == session))

    def sweep(self) -> int:
        """Drop tokens that are over, or whose session is; how many there were."""
        gone = refreshes.c.session.not_in(select(sessions.c.id))
        with self._database.write() as sql:
            return sql.execute(delete(refreshes).where((refreshes.c.expires_at <= self._now()) | gone)).rowcount

    def _added(self, family: Family) -> str:
        token = _PREFIX + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
        row = {
            "digest": digest(token),
            "session": family.session,
            "user": family.user,
            "thumbprint": family.thumbprint,
            "expires_at": family.expires_at,
        }
        with self._database.write() as sql:
            sql.execute(insert(refreshes), row)
        return token

    def _now(self) -> int:
        return epoch_ms(self._clock.now())
