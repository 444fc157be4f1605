"""Sessions of browsers: bound to a key that cannot be copied, and alive as long as its holder renews a short cookie.

A copy of the whole cookie jar dies with that cookie, within five minutes: to renew it takes a signature over a
challenge of this session, and to bind the session to another key takes a new sign-in. All of it stands in the database,
so it does not matter which instance is asked.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from troth.identity.devices.proof import Kind, Proof, challenge_in, refusal, verify_proof
from troth.identity.devices.shown import DBSC, WEBCRYPTO, Devices, secret_digest
from troth.identity.mfa.challenges import Challenges, Purpose
from troth.identity.mfa.relying_party import decoded, encoded
from troth.identity.store import sessions
from troth.kernel.caller import Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Unauthenticated
from troth.kernel.scope import as_system
from troth.storage.database import Database

BINDABLE_MS = 5 * 60 * 1000  # after a proof of identity; an older session is bound by signing in anew
OVERLAP_MS = 30 * 1000  # requests of one moment may still carry the cookie before
BIND_PATH, CONFIRM_PATH = "/v1/sessions/current/binding", "/device/confirm"  # what proofs of the script name
_KINDS = {WEBCRYPTO: (Kind.PORTAL, Purpose.BIND), DBSC: (Kind.DBSC, Purpose.BIND_NATIVELY)}


@dataclass(frozen=True, slots=True)
class Renewed:
    """A bound session with the cookie that stands for its device, shown this once, for `seconds`."""

    session: str
    bound: str
    thumbprint: str
    cookie: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is to sign for its session. `bound` is None for one that may still be bound."""

    session: str
    bound: str | None
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """Binds, asks and renews. `origin`: the portal as browsers see it. `alarm` is told of a person, the channel
    and the code when a proof for their session fails: somebody else may hold their cookies."""

    database: Database
    clock: Clock
    challenges: Challenges
    devices: Devices
    cookie_ms: int
    origin: str
    alarm: Callable[[str, Connection, str], None] = lambda _user, _connection, _code: None

    def offer(self, session: str, kind: str) -> str:
        """A challenge for binding a session, for five minutes."""
        return encoded(self.challenges.issue(_KINDS[kind][1], session))

    def bind(self, session: str, kind: str, jws: str) -> Renewed:
        """Bind a session whose person showed who they are minutes ago to the key that signed its challenge, for good.

        Raises `Unauthenticated` (`proof-invalid`), `Conflict` (`device-bound`), `Denied` (`device-too-late`).
        """
        proof = self._answered(session, _KINDS[kind][1], jws, kind)
        now = self._now()
        cookie, values = self._fresh(now)
        values |= {"bound": kind, "thumbprint": proof.thumbprint, "bound_at": now, "public_key": json.dumps(proof.jwk)}
        young = or_(sessions.c.verified_at > now - BINDABLE_MS, sessions.c.created_at > now - BINDABLE_MS)
        with self.database.write() as connection:
            mine = update(sessions).where(sessions.c.id == session)
            if not connection.execute(mine.where(sessions.c.bound.is_(None), young).values(values)).rowcount:
                taken = select(sessions.c.bound).where(sessions.c.id == session)
                raise _too_late() if connection.execute(taken).scalar() is None else _taken()
        return Renewed(session, kind, proof.thumbprint, cookie, self.cookie_ms // 1000)

    @as_system  # whose it is shows only now
    def ask(self, token: str) -> Asked:
        """What the holder of a session is to sign next. Raises `Unauthenticated` (`session-unknown`), `Denied`."""
        row = self._row(token)
        if row.bound not in (None, *_KINDS):
            raise _taken()
        if row.bound is None:
            if max(row.verified_at, row.created_at) <= self._now() - BINDABLE_MS:
                raise _too_late()
            return Asked(row.id, None, self.offer(row.id, WEBCRYPTO))
        return Asked(row.id, row.bound, encoded(self.challenges.issue(Purpose.CONFIRM, row.id)))

    @as_system
    def renew(self, token: str, jws: str, connection: Connection) -> Renewed:
        """A new cookie for the holder of the key. Raises `Unauthenticated`: `session-unknown`, `proof-invalid`."""
        row, now = self._row(token), self._now()
        if row.bound not in _KINDS:
            raise refusal()
        try:
            self._answered(row.id, Purpose.CONFIRM, jws, row.bound, json.loads(row.public_key))
        except Unauthenticated as error:
            self.alarm(row.user, connection, error.code)
            raise
        cookie, values = self._fresh(now)
        overlap = {"cookie_before": row.cookie, "cookie_before_until": min(row.cookie_until, now + OVERLAP_MS)}
        with self.database.write() as sql:
            sql.execute(update(sessions).where(sessions.c.id == row.id).values(values | overlap))
        return Renewed(row.id, row.bound, row.thumbprint, cookie, self.cookie_ms // 1000)

    def _answered(
        self, session: str, purpose: Purpose, jws: str, bound: str, key: dict[str, str] | None = None
    ) -> Proof:
        challenge, path = challenge_in(jws), CONFIRM_PATH if purpose is Purpose.CONFIRM else BIND_PATH
        try:
            self.challenges.redeem(purpose, session, decoded(challenge))
        except (Unauthenticated, ValueError):
            raise refusal() from None
        return verify_proof(
            jws,
            kind=_KINDS[bound][0],
            method="POST",
            url_ok=lambda url: self.devices.ours(url, path),
            now=self._now(),
            token=None,
            challenge=challenge,
            key=key,
        )

    def _fresh(self, now: int) -> tuple[str, dict[str, Any]]:
        cookie = secrets.token_urlsafe(32)
        return cookie, {"cookie": secret_digest(cookie), "cookie_until": now + self.cookie_ms}

    def _row(self, token: str) -> Any:
        with self.database.read() as connection:
            row = connection.execute(select(sessions).where(self._held(token))).first()
        if row is None:
            raise Unauthenticated("This session does not exist any more; sign in again.", code="session-unknown")
        return row

    def _held(self, token: str) -> ColumnElement[bool]:
        return and_(sessions.c.digest == secret_digest(token), sessions.c.expires_at > self._now())

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def _taken() -> Conflict:
    return Conflict("A key answers for this session already; sign in again for another device.", code="device-bound")


def _too_late() -> Denied:
    return Denied("Your sign-in is too long ago to bind this session to a device; do it anew.", code="device-too-late")
