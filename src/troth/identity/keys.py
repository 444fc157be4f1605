"""API keys, `troth_sk_<id>_<secret>`: 256 random bits, shown once, kept as SHA-256, scoped, and never without an end.

A bearer key is the stated weaker class of credential: it reaches what its scopes say and never administers; it may be
kept to networks and models, lives a month unless told, and lapses when nobody uses it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from troth.identity.api_keys import limits
from troth.identity.api_keys.alarm import Alarm
from troth.identity.api_keys.shown import KEY_NAME, KEY_NETWORKS, KeyInfo, lapse, shown
from troth.identity.standing import Standing, standing, with_standing
from troth.identity.store import api_keys
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from troth.kernel.ids import id_from_bytes
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect

SCOPES = frozenset({"generate", "own-data", "own-data:write"})  # own-data reads; own-data:write also changes
DEFAULT_DAYS = 30
MAXIMUM_DAYS = 365
IDLE_DAYS = 90  # after so long without use a key lapses
MOST_OVERLAP_HOURS = 24  # that a replaced key may go on
MOST_KEYS = 100  # of one person
_TOKEN = re.compile(r"troth_sk_([a-z2-7]{26})_[a-z2-7]{52}\Z")
_EVERY_MS = 60 * 1000  # the times of last use and last refusal are written at most this often
_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_SHOWN_MS = 90 * _DAY_MS  # how long a key that ended stays in the list

_COLUMNS = (
    api_keys.c.digest,
    api_keys.c.scopes,
    api_keys.c.network_marks,
    api_keys.c.models,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.used_at,
    api_keys.c.refused_at,
)
_BY_ID = PreparedSelect(with_standing(api_keys, _COLUMNS).where(api_keys.c.id == bindparam("key")))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A wish for a key. `name` helps its owner to tell keys apart; `days` is its life, 30 (or the most) when None.

    `networks` in CIDR notation and `models` are the only ones it may come from and generate with; None means all.
    """

    tenant: str
    user: str
    name: str
    scopes: frozenset[str]
    days: int | None = None
    networks: tuple[str, ...] | None = None
    models: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key with its token, which is shown this once."""

    id: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class RotatedKey(CreatedKey):
    """A key in place of another, `replaced`, which ends at `replaced_until`."""

    replaced: str
    replaced_until: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A key whose secret was shown, with what decides whether it counts here and now."""

    id: str
    owner: Standing
    scopes: frozenset[str]
    marks: bytes | None
    models: frozenset[str] | None
    age_seconds: int
    use_due: bool
    refusal_due: bool

    def caller(self, connection: Connection) -> Caller:
        proof = Authentication("api-key", 1, self.age_seconds, self.id)
        return self.owner.key(proof, connection, self.scopes, self.models)


class ApiKeys:
    """All API keys of all people. `alarm` is told of keys that are shown where they may not be used."""

    def __init__(
        self,
        database: Database,
        fields: PersonalFields,
        clock: Clock,
        *,
        longest_days: int = MAXIMUM_DAYS,
        idle_days: int = IDLE_DAYS,
        alarm: Alarm | None = None,
    ) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock
        self._longest_days = min(longest_days, MAXIMUM_DAYS)
        self._idle_ms = idle_days * _DAY_MS
        self._alarm = alarm

    def by(self, clock: Clock) -> ApiKeys:
        """The same keys with the same limits, by another clock; nobody is told of refusals."""
        idle_days = self._idle_ms // _DAY_MS
        return ApiKeys(self._database, self._fields, clock, longest_days=self._longest_days, idle_days=idle_days)

    def create(self, wish: NewKey) -> CreatedKey:
        """A fresh key. Raises `Invalid` for unknown scopes, networks or a wrong life, `Conflict` beyond 100 keys."""
        created, row = self._made(wish)
        with self._database.write() as connection:
            self._add(connection, row)
        return created

    def rotate(self, tenant: str, user: str, key: str, overlap_hours: int = 1, days: int | None = None) -> RotatedKey:
        """A key with a fresh secret and the same name, scopes and limits; the old one ends after the overlap.

        It lives as long as the old one was given, or `days`. Raises `NotFound`, `Conflict` (`key-over`) for a key that
        has ended, lapsed or was replaced, and what `create` raises.
        """
        if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
            advice = f"The old key may go on for 0 to {MOST_OVERLAP_HOURS} hours."
            raise Invalid(advice, code="bad-overlap", field="overlap_hours")
        old = self._row(user, key)
        info, now = self._info(tenant, user, old), self._now()
        if info.state not in ("active", "ends-soon"):
            raise _over()
        life = days or min(max(1, (info.expires_at - info.created_at) // _DAY_MS), self._longest_days)
        kept_to = None if info.models is None else frozenset(info.models)
        wish = NewKey(tenant, user, info.name, frozenset(info.scopes), life, info.networks, kept_to)
        created, row = self._made(wish)
        until = min(info.expires_at, now + overlap_hours * _HOUR_MS)
        mine = update(api_keys).where(api_keys.c.id == key, api_keys.c.user == user, api_keys.c.replaced_by.is_(None))
        with self._database.write() as connection:
            if not connection.execute(mine.values(replaced_by=created.id, expires_at=until)).rowcount:
                raise _over()
            self._add(connection, row)
        return RotatedKey(created.id, created.token, created.expires_at, key, until)

    @as_system  # whose it is shows only now
    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The key as a caller that acts for its owner, with the owner's present roles.

        Raises `Unauthenticated`: `key-unknown` (also when revoked, or its owner disabled), `key-expired`, `key-lapsed`
        or `key-network`, of which the owner's log is told.
        """
        found = self._found(token)
        try:
            limits.require_network(found.marks, token, connection.origin.address)
        except Unauthenticated as refusal:
            if found.refusal_due:
                self._mark(found.id, "refused_at")
                if self._alarm is not None:
                    self._alarm.elsewhere(found.id, found.owner, connection, refusal.code)
            raise
        if found.use_due:
            self._mark(found.id, "used_at")
        return found.caller(connection)

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """The same by one short read on this thread, or None when there is something to write or to wait for."""
        if not self._database.at_hand:
            return None
        found = self._found(token)
        if found.use_due:
            return None
        try:
            limits.require_network(found.marks, token, connection.origin.address)
        except Unauthenticated:
            if found.refusal_due:
                return None
            raise
        return found.caller(connection)

    def list(self, tenant: str, user: str) -> list[KeyInfo]:
        """The keys of one person, newest first, those that ended among them."""
        mine = select(api_keys).where(api_keys.c.user == user).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        with self._database.read() as connection:
            rows = connection.execute(mine).all()
        return [self._info(tenant, user, row) for row in rows]

    def revoke(self, user: str, key: str) -> None:
        """End one key of one person at once. Raises `NotFound`."""
        with self._database.write() as connection:
            mine = delete(api_keys).where(api_keys.c.id == key, api_keys.c.user == user)
            if not connection.execute(mine).rowcount:
                raise _not_found()

    def _made(self, wish: NewKey) -> tuple[CreatedKey, dict[str, Any]]:
        """A key with its row, not yet kept."""
        days = min(DEFAULT_DAYS, self._longest_days) if wish.days is None else wish.days
        _check(wish, days, self._longest_days)
        networks = limits.networks(wish.networks or ())
        body = id_from_bytes("key", secrets.token_bytes(16)).removeprefix("key_")
        token, now = f"troth_sk_{body}_{_encoded(secrets.token_bytes(32))}", self._now()
        created = CreatedKey(f"key_{body}", token, now + days * _DAY_MS)
        return created, {
            "id": created.id,
            "user": wish.user,
            "digest": _digest(token),
            "name": self._fields.seal(wish.tenant, wish.user, KEY_NAME, wish.name.encode()),
            "scopes": " ".join(sorted(wish.scopes)),
            "networks": self._fields.seal(wish.tenant, wish.user, KEY_NETWORKS, " ".join(networks).encode())
            if networks
            else None,
            "network_marks": limits.marks(token, networks),
            "models": None if wish.models is None else " ".join(sorted(wish.models)),
            "created_at": now,
            "expires_at": created.expires_at,
        }

    def _add(self, connection: Sql, row: dict[str, Any]) -> None:
        """Keep a key; those that ended long ago go."""
        mine, now = api_keys.c.user == row["user"], self._now()
        connection.execute(delete(api_keys).where(mine, api_keys.c.expires_at <= now - _SHOWN_MS))
        if connection.execute(select(func.count()).select_from(api_keys).where(mine)).scalar_one() >= MOST_KEYS:
            raise Conflict(f"You have {MOST_KEYS} keys; revoke one that you do not use.", code="too-many-keys")
        connection.execute(insert(api_keys), row)

    def _row(self, user: str, key: str) -> Row[Any]:
        mine = select(api_keys).where(api_keys.c.id == key, api_keys.c.user == user)
        with self._database.read() as connection:
            row = connection.execute(mine).first()
        if row is None:
            raise _not_found()
        return row

    def _info(self, tenant: str, user: str, row: Row[Any]) -> KeyInfo:
        return shown(self._fields, (tenant, user), row, self._now(), self._idle_ms)

    def _found(self, token: str) -> _Found:
        """The key of a token, if it holds. Raises `Unauthenticated`."""
        shape = _TOKEN.match(token)
        if shape is None:
            raise _unknown_key()
        now, key = self._now(), f"key_{shape[1]}"
        rows = self._database.rows(_BY_ID, {"now": now, "key": key})
        if not rows or not hmac.compare_digest(rows[0][0], _digest(token)):
            raise _unknown_key()
        _, scopes, marks, models, created_at, expires_at, used_at, refused_at = rows[0][: len(_COLUMNS)]
        owner = standing(rows)
        if not owner.active:
            raise _unknown_key()
        if now >= expires_at:
            raise Unauthenticated("This API key has expired; create a new one.", code="key-expired")
        if now >= lapse(created_at, used_at, self._idle_ms):
            raise Unauthenticated(
                "This API key was not used for long and has lapsed; create a new one.", code="key-lapsed"
            )
        return _Found(
            id=key,
            owner=owner,
            scopes=frozenset(scopes.split()),
            marks=marks,
            models=None if models is None else frozenset(models.split()),
            age_seconds=(now - created_at) // 1000,
            use_due=used_at is None or now >= used_at + _EVERY_MS,
            refusal_due=refused_at is None or now >= refused_at + _EVERY_MS,
        )

    def _mark(self, key: str, column: str) -> None:
        with self._database.write() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key).values({column: self._now()}))

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def end_all(connection: Sql, user: str) -> int:
    """End every key of a person in the caller's transaction; how many there were."""
    result: Any = connection.execute(delete(api_keys).where(api_keys.c.user == user))
    return int(result.rowcount)


def _check(wish: NewKey, days: int, longest_days: int) -> None:
    if not wish.scopes or not wish.scopes <= SCOPES:
        raise Invalid(f"Choose scopes among: {_listed(SCOPES)}.", code="unknown-scope", field="scopes")
    if not 1 <= days <= longest_days:
        raise Invalid(f"A key lives 1 to {longest_days} days here.", code="bad-lifetime", field="days")
    if wish.networks == () or wish.models == frozenset():
        raise Invalid("Name at least one network or model, or leave the list out.", code="empty-limit")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _encoded(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _unknown_key() -> Unauthenticated:
    return Unauthenticated("This API key is not valid; check it, or create a new one.", code="key-unknown")


def _not_found() -> NotFound:
    return NotFound("You have no such key; list your keys to see their ids.", code="key-not-found")


def _over() -> Conflict:
    return Conflict("This key has ended or was replaced already; create a new one.", code="key-over")
