"""API keys, `troth_sk_<id>_<secret>`: 256 random bits, shown once, kept as SHA-256, scoped, and never without an end.

A bearer key is the stated weaker class of credential: it reaches what its scopes say and never administers.
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
from sqlalchemy import bindparam, delete, func, insert, select, update

from troth.identity.standing import standing, with_standing
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
DEFAULT_DAYS = 90
MAXIMUM_DAYS = 365
MOST_KEYS = 100  # of one person
_TOKEN = re.compile(r"troth_sk_([a-z2-7]{26})_[a-z2-7]{52}\Z")
_USED_EVERY_MS = 60 * 1000  # the time of last use is written at most this often
_DAY_MS = 24 * 3600 * 1000
KEY_NAME = "api-key-name"

_COLUMNS = (
    api_keys.c.digest,
    api_keys.c.scopes,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.used_at,
)
_BY_ID = PreparedSelect(with_standing(api_keys, _COLUMNS).where(api_keys.c.id == bindparam("key")))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A wish for a key. `name` helps its owner to tell keys apart; `days` is its life, 1 to 365."""

    tenant: str
    user: str
    name: str
    scopes: frozenset[str]
    days: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key with its token, which is shown this once."""

    id: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as its owner sees it. Times in epoch milliseconds."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    used_at: int | None


class ApiKeys:
    """All API keys of all people."""

    def __init__(
        self, database: Database, fields: PersonalFields, clock: Clock, *, longest_days: int = MAXIMUM_DAYS
    ) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock
        self._longest_days = min(longest_days, MAXIMUM_DAYS)

    def create(self, wish: NewKey) -> CreatedKey:
        """A fresh key. Raises `Invalid` for unknown scopes or a wrong life, `Conflict` beyond 100 keys."""
        _check(wish, self._longest_days)
        body = id_from_bytes("key", secrets.token_bytes(16)).removeprefix("key_")
        token = f"troth_sk_{body}_{_encoded(secrets.token_bytes(32))}"
        now = self._now()
        created = CreatedKey(f"key_{body}", token, now + wish.days * _DAY_MS)
        row = {
            "id": created.id,
            "user": wish.user,
            "digest": _digest(token),
            "name": self._fields.seal(wish.tenant, wish.user, KEY_NAME, wish.name.encode()),
            "scopes": " ".join(sorted(wish.scopes)),
            "created_at": now,
            "expires_at": created.expires_at,
        }
        mine = select(func.count()).select_from(api_keys).where(api_keys.c.user == wish.user)
        with self._database.write() as connection:
            if connection.execute(mine).scalar_one() >= MOST_KEYS:
                raise Conflict(f"You have {MOST_KEYS} keys; revoke one that you do not use.", code="too-many-keys")
            connection.execute(insert(api_keys), row)
        return created

    @as_system  # whose it is shows only now
    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The key as a caller that acts for its owner, with the owner's present roles.

        Raises `Unauthenticated`: `key-unknown` (also when revoked, or its owner disabled) or `key-expired`.
        """
        caller, due = self._holder(token, connection)
        if due:
            self._used(caller.actor)
        return caller

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """The same by one short read on this thread, or None when there is something to write or to wait for."""
        if not self._database.at_hand:
            return None
        caller, due = self._holder(token, connection)
        return None if due else caller

    def list(self, tenant: str, user: str) -> list[KeyInfo]:
        """The keys of one person, newest first, expired ones included."""
        columns = [api_keys.c[name] for name in KeyInfo.__dataclass_fields__]
        mine = select(*columns).where(api_keys.c.user == user).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        with self._database.read() as connection:
            rows = connection.execute(mine).all()
        return [
            KeyInfo(key, self._fields.open(tenant, user, KEY_NAME, name).decode(), tuple(scopes.split()), *times)
            for key, name, scopes, *times in rows
        ]

    def revoke(self, user: str, key: str) -> None:
        """End one key of one person at once. Raises `NotFound`."""
        with self._database.write() as connection:
            mine = delete(api_keys).where(api_keys.c.id == key, api_keys.c.user == user)
            if not connection.execute(mine).rowcount:
                raise NotFound("You have no such key; list your keys to see their ids.", code="key-not-found")

    def _holder(self, token: str, connection: Connection) -> tuple[Caller, bool]:
        """Whom the key stands for, and whether the time of its last use is to be written."""
        shape = _TOKEN.match(token)
        if shape is None:
            raise _unknown_key()
        now, key = self._now(), f"key_{shape[1]}"
        rows = self._database.rows(_BY_ID, {"now": now, "key": key})
        if not rows or not hmac.compare_digest(rows[0][0], _digest(token)):
            raise _unknown_key()
        _, scopes, created_at, expires_at, used_at = rows[0][: len(_COLUMNS)]
        owner = standing(rows)
        if not owner.active:
            raise _unknown_key()
        if now >= expires_at:
            raise Unauthenticated("This API key has expired; create a new one.", code="key-expired")
        proof = Authentication("api-key", 1, (now - created_at) // 1000, key)
        due = used_at is None or now >= used_at + _USED_EVERY_MS
        return owner.key(proof, connection, frozenset(scopes.split())), due

    def _used(self, key: str) -> None:
        with self._database.write() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key).values(used_at=self._now()))

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def end_all(connection: Sql, user: str) -> int:
    """End every key of a person in the caller's transaction; how many there were."""
    result: Any = connection.execute(delete(api_keys).where(api_keys.c.user == user))
    return int(result.rowcount)


def _check(wish: NewKey, longest_days: int) -> None:
    if not wish.scopes or not wish.scopes <= SCOPES:
        raise Invalid(f"Choose scopes among: {_listed(SCOPES)}.", code="unknown-scope", field="scopes")
    if not 1 <= wish.days <= longest_days:
        raise Invalid(f"A key lives 1 to {longest_days} days here.", code="bad-lifetime", field="days")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _encoded(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _unknown_key() -> Unauthenticated:
    return Unauthenticated("This API key is not valid; check it, or create a new one.", code="key-unknown")
