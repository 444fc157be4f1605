"""Sessions: opaque tokens of 256 random bits, kept as hashes, rotated when they gain strength, short in rest and life.

Limits by NIST SP 800-63B-4 section 2.2.3 (AAL2: at most 24 h overall, 1 h of rest), chosen stricter.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import bindparam, delete, insert, or_, select, update

from troth.identity.standing import standing, with_standing
from troth.identity.store import sessions
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect

ABSOLUTE_MS = 12 * 3600 * 1000
IDLE_MS = 30 * 60 * 1000
TOKEN_PREFIX = "troth_st_"  # noqa: S105  tells a leaked session from a leaked key
_SEEN_EVERY_MS = 60 * 1000  # a request writes at most this often
_ROTATION_GRACE_MS = 30 * 1000  # parallel requests of one page may still carry the token before the rotation

_COLUMNS = (
    sessions.c.id,
    sessions.c.method,
    sessions.c.assurance,
    sessions.c.verified_at,
    sessions.c.seen_at,
    sessions.c.expires_at,
)
_BY_TOKEN = PreparedSelect(with_standing(sessions, _COLUMNS).where(sessions.c.digest == bindparam("digest")))


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown: the method's name and its authenticator assurance level (SP 800-63B-4)."""

    method: str
    assurance: int


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session with its token, which is shown this once. Times in epoch milliseconds."""

    id: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as its owner sees it."""

    id: str
    method: str
    assurance: int
    zone: str
    created_at: int
    seen_at: int
    expires_at: int


class Sessions:
    """All sessions of all people."""

    def __init__(
        self, database: Database, clock: Clock, *, absolute_ms: int = ABSOLUTE_MS, idle_ms: int = IDLE_MS
    ) -> None:
        self._database = database
        self._clock = clock
        self._absolute_ms = absolute_ms
        self._idle_ms = idle_ms

    def by(self, clock: Clock) -> Sessions:
        """The same sessions with the same limits, by another clock."""
        return Sessions(self._database, clock, absolute_ms=self._absolute_ms, idle_ms=self._idle_ms)

    def open(
        self, user: str, proof: Proof, zone: str, witness: Callable[[Sql, str], None] | None = None
    ) -> OpenedSession:
        """A fresh session; whatever token the browser held before means nothing for it.

        `witness` is called with the open transaction and the session's id: what it writes stands with the session.
        """
        now = self._now()
        opened = OpenedSession(new_id("ses"), _fresh_token(), now + self._absolute_ms)
        row = {
            "id": opened.id,
            "user": user,
            "digest": _digest(opened.token),
            "method": proof.method,
            "assurance": proof.assurance,
            "zone": zone,
            "created_at": now,
            "verified_at": now,
            "seen_at": now,
            "expires_at": opened.expires_at,
        }
        with self._database.write() as connection:
            connection.execute(insert(sessions), row)
            if witness is not None:
                witness(connection, opened.id)
        return opened

    @as_system  # whose it is shows only now
    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The person behind a token, as they stand now.

        Raises `Unauthenticated`: `session-unknown`, `session-expired`, or `session-replayed` for a token that was
        rotated away, which also ends the session: one of two holders is a thief.
        """
        now, digest = self._now(), _digest(token)
        rows = self._rows(digest, now)
        if not rows:
            raise self._unknown(digest, now)
        caller, unseen = self._holder(rows, connection, now)
        if unseen:
            self._seen(str(caller.authentication.credential), now)
        return caller

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """The same by one short read on this thread, or None when there is something to write or to wait for."""
        now = self._now()
        rows = self._rows(_digest(token), now) if self._database.at_hand else ()
        caller, unseen = self._holder(rows, connection, now) if rows else (None, False)
        return None if unseen else caller

    def _rows(self, digest: bytes, now: int) -> Sequence[Any]:
        return self._database.rows(_BY_TOKEN, {"now": now, "digest": digest})

    def _holder(self, rows: Sequence[Any], connection: Connection, now: int) -> tuple[Caller, bool]:
        """Who holds the session, and whether the time of the last request is to be written."""
        session, method, assurance, verified_at, seen_at, expires_at = rows[0][: len(_COLUMNS)]
        person = standing(rows)
        if not person.active:
            raise _unknown_session()
        if now >= expires_at or now >= seen_at + self._idle_ms:
            raise Unauthenticated("This session is over; sign in again.", code="session-expired")
        # A password that somebody else chose proves little about its holder until it is changed.
        level = min(assurance, 1) if person.password_issued else assurance
        age = (now - verified_at) // 1000
        caller = person.caller(Authentication(method, level, age, session), connection)
        return caller, now >= seen_at + _SEEN_EVERY_MS

    def rotate(self, session: str, proof: Proof | None = None) -> OpenedSession:
        """A new token for a session, and the strength of a new proof if there is one; the old token stops working.

        Raises `NotFound`. The end of the session does not move.
        """
        now, token = self._now(), _fresh_token()
        strengthened = update(sessions).where(sessions.c.id == session)
        values = {"replaced": sessions.c.digest, "replaced_at": now, "digest": _digest(token), "seen_at": now}
        if proof is not None:
            values |= {"method": proof.method, "assurance": proof.assurance, "verified_at": now}
        with self._database.write() as connection:
            connection.execute(strengthened.values(values))
            expires_at = connection.execute(select(sessions.c.expires_at).where(sessions.c.id == session)).scalar()
        if expires_at is None:
            raise _no_such_session()
        return OpenedSession(session, token, int(expires_at))

    def list(self, user: str) -> Sequence[SessionInfo]:
        """The sessions of one person that still hold, newest first."""
        now = self._now()
        columns = [sessions.c[name] for name in SessionInfo.__dataclass_fields__]
        mine = select(*columns).where(
            sessions.c.user == user, sessions.c.expires_at > now, sessions.c.seen_at > now - self._idle_ms
        )
        with self._database.read() as connection:
            return [SessionInfo(*row) for row in connection.execute(mine.order_by(sessions.c.created_at.desc()))]

    def revoke(self, user: str, session: str) -> None:
        """End one session of one person. Raises `NotFound`."""
        with self._database.write() as connection:
            mine = delete(sessions).where(sessions.c.id == session, sessions.c.user == user)
            if not connection.execute(mine).rowcount:
                raise _no_such_session()

    def revoke_others(self, user: str, keep: str | None) -> int:
        """End every session of one person but `keep`; how many there were."""
        others = delete(sessions).where(sessions.c.user == user, sessions.c.id != (keep or ""))
        with self._database.write() as connection:
            return connection.execute(others).rowcount

    def sweep(self) -> int:
        """Drop sessions that are over; how many there were."""
        now = self._now()
        over = or_(sessions.c.expires_at <= now, sessions.c.seen_at <= now - self._idle_ms)
        with self._database.write() as connection:
            return connection.execute(delete(sessions).where(over)).rowcount

    def _seen(self, session: str, now: int) -> None:
        with self._database.write() as connection:
            connection.execute(update(sessions).where(sessions.c.id == session).values(seen_at=now))

    def _unknown(self, digest: bytes, now: int) -> Unauthenticated:
        with self._database.read() as sql:
            found = select(sessions.c.id, sessions.c.replaced_at).where(sessions.c.replaced == digest)
            row = sql.execute(found).first()
        if row is None:
            return _unknown_session()
        if now >= row.replaced_at + _ROTATION_GRACE_MS:
            with self._database.write() as connection:
                connection.execute(delete(sessions).where(sessions.c.id == row.id))
        return Unauthenticated("This session was replaced by a newer one; sign in again.", code="session-replayed")

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def end_all(connection: Sql, user: str) -> int:
    """End every session of a person in the caller's transaction; how many there were."""
    result: Any = connection.execute(delete(sessions).where(sessions.c.user == user))
    return int(result.rowcount)


def _fresh_token() -> str:
    return TOKEN_PREFIX + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _unknown_session() -> Unauthenticated:
    return Unauthenticated("This session does not exist any more; sign in again.", code="session-unknown")


def _no_such_session() -> NotFound:
    return NotFound("You have no such session; list your sessions to see their ids.", code="session-not-found")
