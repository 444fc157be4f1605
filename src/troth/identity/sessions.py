"""Sessions: opaque tokens of 256 random bits, kept as hashes, rotated when they gain strength, short in rest and life.

Limits by NIST SP 800-63B-4 section 2.2.3 (AAL2: at most 24 h overall, 1 h of rest), chosen stricter.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import bindparam, delete, insert, or_, select, update

from troth.identity.devices.shown import DPOP, PLAIN, Binding, Devices, Shown, secret_digest
from troth.identity.devices.spent import SpentProofs
from troth.identity.standing import standing, with_standing
from troth.identity.store import sessions
from troth.kernel.caller import Authentication, Caller, Connection, Device, anonymous
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

_BINDING = tuple(sessions.c[name] for name in Binding.__dataclass_fields__)
_COLUMNS = (
    sessions.c.id,
    sessions.c.method,
    sessions.c.assurance,
    sessions.c.verified_at,
    sessions.c.seen_at,
    sessions.c.expires_at,
    *_BINDING,
)
_ALL, _FACTS, _SEEN = len(_COLUMNS), len(_COLUMNS) - len(_BINDING), 4
_BY_TOKEN = PreparedSelect(with_standing(sessions, _COLUMNS).where(sessions.c.digest == bindparam("digest")))


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown: the method's name and its authenticator assurance level (SP 800-63B-4)."""

    method: str
    assurance: int

    @property
    def phishing_resistant(self) -> bool:
        """True when it works for our own pages only."""
        return Authentication(self.method, self.assurance).phishing_resistant


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
    bound: str | None


class Sessions:
    """All sessions of all people."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        absolute_ms: int = ABSOLUTE_MS,
        idle_ms: int = IDLE_MS,
        devices: Devices | None = None,
    ) -> None:
        self._database = database
        self._devices = devices or Devices(SpentProofs(database, clock), clock)
        self._clock = clock
        self._absolute_ms = absolute_ms
        self._idle_ms = idle_ms

    def by(self, clock: Clock) -> Sessions:
        """The same sessions with the same limits, by another clock."""
        limits = {"absolute_ms": self._absolute_ms, "idle_ms": self._idle_ms}
        return Sessions(self._database, clock, **limits, devices=self._devices)

    def open(
        self,
        user: str,
        proof: Proof,
        zone: str,
        witness: Callable[[Sql, str], None] | None = None,
        *,
        until: int | None = None,
        proved_at: int | None = None,
    ) -> OpenedSession:
        """A fresh session; whatever token the browser held before means nothing for it.

        `until` (epoch ms) ends it sooner than the limit does. `proved_at` (epoch ms): when the proof was given, if that
        was before now. `witness` is called with the open transaction and the session's id: what it writes stands with
        the session.
        """
        now = self._now()
        end = now + self._absolute_ms
        opened = OpenedSession(new_id("ses"), _fresh_token(), end if until is None else min(end, until))
        row = {
            "id": opened.id,
            "user": user,
            "digest": secret_digest(opened.token),
            "method": proof.method,
            "assurance": proof.assurance,
            "zone": zone,
            "created_at": now,
            "verified_at": now if proved_at is None else min(now, proved_at),
            "seen_at": now,
            "expires_at": opened.expires_at,
        }
        with self._database.write() as connection:
            connection.execute(insert(sessions), row)
            if witness is not None:
                witness(connection, opened.id)
        return opened

    @as_system  # whose it is shows only now
    def authenticate(self, token: str, connection: Connection, shown: Shown = PLAIN) -> Caller:
        """The person behind a token, as they stand now, and the device that answers for it.

        Raises `Unauthenticated`: `session-unknown`, `session-expired`, or `session-replayed` for a token that was
        rotated away, which also ends the session, if its device answers or it has none: one of two holders is a thief;
        and as `Devices.of`.
        """
        now, digest = self._now(), secret_digest(token)
        rows = self._rows(digest, now)
        if not rows:
            raise self._unknown(token, shown, now)
        caller, binding = self._holder(rows, connection, now), _binding(rows)
        device = self._devices.of(binding, token, shown, now)
        if _unseen(rows, now) and binding.bound == device.bound:  # a copy that no device answers for keeps none awake
            self._seen(str(caller.authentication.credential), now)
        return replace(caller, device=device)

    def at_once(self, token: str, connection: Connection, shown: Shown = PLAIN) -> Caller | None:
        """The same by one short read on this thread, or None when there is something to write or to wait for."""
        now = self._now()
        rows = self._rows(secret_digest(token), now) if self._database.at_hand and not shown.spends else ()
        if not rows or _unseen(rows, now):  # before the proof is judged: it counts once
            return None
        caller = self._holder(rows, connection, now)
        return replace(caller, device=self._devices.of(_binding(rows), token, shown, now))

    def newcomer(self, connection: Connection, shown: Shown) -> Caller:
        """A stranger, and the key they show to have their session bound to it. Raises as `Devices.newcomer`."""
        return replace(anonymous(connection), device=self._devices.newcomer(shown))

    @as_system  # a stranger's operation opened it
    def bind_to(self, session: str, device: Device) -> None:
        """Bind a session that was opened this moment to the key its opener showed, if any."""
        if device.bound != DPOP:
            return
        values = {"bound": DPOP, "thumbprint": device.thumbprint, "bound_at": self._now()}
        fresh = update(sessions).where(sessions.c.id == session, sessions.c.bound.is_(None))
        with self._database.write() as connection:
            connection.execute(fresh.values(values))

    def _rows(self, digest: bytes, now: int) -> Sequence[Any]:
        return self._database.rows(_BY_TOKEN, {"now": now, "digest": digest})

    def _holder(self, rows: Sequence[Any], connection: Connection, now: int) -> Caller:
        session, method, assurance, verified_at, seen_at, expires_at = rows[0][:_FACTS]
        person = standing(rows)
        if not person.active:
            raise _unknown_session()
        if now >= expires_at or now >= seen_at + self._idle_ms:
            raise Unauthenticated("This session is over; sign in again.", code="session-expired")
        # A password that somebody else chose proves little about its holder until it is changed.
        level = min(assurance, 1) if person.password_issued else assurance
        age = (now - verified_at) // 1000
        return person.caller(Authentication(method, level, age, session), connection)

    def rotate(self, session: str, proof: Proof | None = None) -> OpenedSession:
        """A new token for a session, and the strength of a new proof if there is one; the old token stops working.

        Raises `NotFound`. The end of the session does not move.
        """
        now, token = self._now(), _fresh_token()
        strengthened = update(sessions).where(sessions.c.id == session)
        values = {"replaced": sessions.c.digest, "replaced_at": now, "digest": secret_digest(token), "seen_at": now}
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

    def _unknown(self, token: str, shown: Shown, now: int) -> Unauthenticated:
        found = select(sessions.c.id, sessions.c.replaced_at, *_BINDING).where(
            sessions.c.replaced == secret_digest(token)
        )
        with self._database.read() as sql:
            row = sql.execute(found).first()
        if row is None:
            return _unknown_session()
        if now >= row.replaced_at + _ROTATION_GRACE_MS and self._answers(Binding(*row[2:]), token, shown, now):
            with self._database.write() as connection:
                connection.execute(delete(sessions).where(sessions.c.id == row.id))
        return Unauthenticated("This session was replaced by a newer one; sign in again.", code="session-replayed")

    def _answers(self, binding: Binding, token: str, shown: Shown, now: int) -> bool:
        """Whether the device of a session answers, or it has none: a token alone ends nobody's bound session."""
        try:
            return self._devices.of(binding, token, shown, now).bound == binding.bound
        except Unauthenticated:
            return False

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def end_all(connection: Sql, user: str) -> int:
    """End every session of a person in the caller's transaction; how many there were."""
    result: Any = connection.execute(delete(sessions).where(sessions.c.user == user))
    return int(result.rowcount)


def _binding(rows: Sequence[Any]) -> Binding:
    return Binding(*rows[0][_FACTS:_ALL])


def _unseen(rows: Sequence[Any], now: int) -> bool:
    """Whether the time of the last request is to be written."""
    return bool(now >= rows[0][_SEEN] + _SEEN_EVERY_MS)


def _fresh_token() -> str:
    return TOKEN_PREFIX + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()


def _unknown_session() -> Unauthenticated:
    return Unauthenticated("This session does not exist any more; sign in again.", code="session-unknown")


def _no_such_session() -> NotFound:
    return NotFound("You have no such session; list your sessions to see their ids.", code="session-not-found")
