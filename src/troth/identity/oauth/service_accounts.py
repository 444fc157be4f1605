"""Service accounts of tenants: programs that sign in by a key of their own, with scopes, an end, and a person who
answers for them. Without that person, past the end or switched off they get nothing, and what they hold ends at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, and_, delete, func, insert, select, update

from troth.identity.oauth.public_keys import public_jwk
from troth.identity.oauth.store import services, tokens
from troth.identity.roles import lock_tenant
from troth.identity.store import grants, users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.storage.database import Database

SCOPES = frozenset({"generate", "own-data", "own-data:write"})  # as of API keys: nothing that administers
MAXIMUM_DAYS = 365
MOST_SERVICES = 200  # of one tenant
OVERLAP_MS = 24 * 3600 * 1000  # the former key still signs as long after a rotation, unless it was exposed
BY_KEY, BY_CERTIFICATE = "private_key_jwt", "tls_client_auth"  # as RFC 8414 names them
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServiceAccount:
    """A wish for a service account. `jwk`: its public key; None for one that comes with a certificate of ours."""

    tenant: str
    owner: str
    name: str
    scopes: frozenset[str]
    days: int
    jwk: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """A service account. Times in epoch milliseconds; `owner` is None once that person was erased."""

    id: str
    tenant: str
    owner: str | None
    name: str
    scopes: tuple[str, ...]
    method: str
    created_at: int
    expires_at: int
    disabled_at: int | None
    used_at: int | None
    owner_active: bool  # and holds a role
    keys: tuple[dict[str, str], ...] = field(repr=False)

    def in_force(self, now: int) -> bool:
        """Whether it may have a token at `now` (epoch ms)."""
        return self.disabled_at is None and now < self.expires_at and self.owner_active


class ServiceAccounts:
    """All service accounts of all tenants."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, wish: NewServiceAccount) -> ServiceAccount:
        """A fresh one. Raises `Invalid`, `NotFound` for an owner who is not of the tenant or is disabled, `Conflict`
        beyond 200."""
        row = _checked(wish) | {"id": new_id("svc"), "created_at": self._now()}
        row["expires_at"] = row["created_at"] + wish.days * _DAY_MS
        mine = select(func.count()).select_from(services).where(services.c.tenant == wish.tenant)
        with self._database.write() as sql:
            lock_tenant(sql, wish.tenant)
            _require_owner(sql, wish.tenant, wish.owner)
            if sql.execute(mine).scalar_one() >= MOST_SERVICES:
                raise Conflict(f"The tenant has {MOST_SERVICES} service accounts.", code="too-many-services")
            sql.execute(insert(services), row)
        return self.get(wish.tenant, row["id"])

    def of_tenant(self, tenant: str) -> list[ServiceAccount]:
        """The tenant's, newest first; those that ended too."""
        mine = (
            _query(self._now()).where(services.c.tenant == tenant).order_by(services.c.created_at.desc(), services.c.id)
        )
        with self._database.read() as sql:
            return [self._service(row) for row in sql.execute(mine)]

    def get(self, tenant: str, service: str) -> ServiceAccount:
        """One of the tenant's. Raises `NotFound`."""
        found = self.find(service)
        if found is None or found.tenant != tenant:
            raise _unknown()
        return found

    def find(self, service: str) -> ServiceAccount | None:
        """One by its id, whoever's; None when there is none."""
        with self._database.read() as sql:
            row = sql.execute(_query(self._now()).where(services.c.id == service)).first()
        return self._service(row) if row is not None else None

    def disable(self, tenant: str, service: str) -> int:
        """Switch one off for good; how many tokens ended with it. Raises `NotFound`. Idempotent."""
        off = func.coalesce(services.c.disabled_at, self._now())
        return self._changed(tenant, service, {"disabled_at": off, "former_jwk": None, "former_until": None})

    def rotate(self, tenant: str, service: str, jwk: Mapping[str, Any], *, exposed: bool) -> int:
        """A new key. The former one signs for a day more, so that nothing stands still; not when it was `exposed`: then
        the tokens end too. How many did. Raises `NotFound`, `Invalid`, `Conflict` for one without a key."""
        known, now = self.get(tenant, service), self._now()
        if known.method != BY_KEY or known.disabled_at is not None:
            raise Conflict("This service account has no key to replace; create another one.", code="no-service-key")
        fresh: dict[str, str | int | None] = {"jwk": _text(public_jwk(jwk)), "former_jwk": None, "former_until": None}
        if not exposed:
            fresh |= {"former_jwk": _text(known.keys[0]), "former_until": now + OVERLAP_MS}
        return self._changed(tenant, service, fresh, end=exposed)

    def assign(self, tenant: str, service: str, owner: str) -> None:
        """Another person answers for it. Raises `NotFound` for a service or a person who is not of the tenant."""
        with self._database.write() as sql:
            _require_owner(sql, tenant, owner)
        self._changed(tenant, service, {"owner": owner}, end=False)

    def used(self, service: str) -> None:
        """Note that it got a token."""
        with self._database.write() as sql:
            sql.execute(update(services).where(services.c.id == service).values(used_at=self._now()))

    def _changed(self, tenant: str, service: str, values: Mapping[str, Any], *, end: bool = True) -> int:
        mine = (services.c.id == service) & (services.c.tenant == tenant)
        with self._database.write() as sql:
            if not sql.execute(update(services).where(mine).values(**values)).rowcount:
                raise _unknown()
            return sql.execute(delete(tokens).where(tokens.c.service == service)).rowcount if end else 0

    def _service(self, row: Row[Any]) -> ServiceAccount:
        former = row.former_jwk if row.former_until is not None and self._now() < row.former_until else None
        said = row._mapping
        plain = {name: said[name] for name in ServiceAccount.__dataclass_fields__ if name not in ("keys", "scopes")}
        keys = tuple(json.loads(one) for one in (row.jwk, former) if one is not None)
        return ServiceAccount(
            **plain | {"owner_active": bool(row.owner_active)}, scopes=tuple(row.scopes.split()), keys=keys
        )

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def _query(now: int) -> Any:
    held = select(grants.c.role).where(grants.c.user == services.c.owner, grants.c.expires_at > now).exists()
    active = and_(func.coalesce(users.c.active, False), held).label("owner_active")
    return select(services, active).select_from(services.outerjoin(users, services.c.owner == users.c.id))


def _require_owner(sql: Sql, tenant: str, owner: str) -> None:
    found = select(users.c.id).where(users.c.id == owner, users.c.tenant == tenant, users.c.active)
    if sql.execute(found).first() is None:
        raise NotFound("There is no such person in your tenant, or they are disabled.", code="user-not-found")


def _checked(wish: NewServiceAccount) -> dict[str, Any]:
    if not wish.scopes or not wish.scopes <= SCOPES:
        raise Invalid(f"Choose scopes among: {', '.join(sorted(SCOPES))}.", code="unknown-scope", field="scopes")
    if not 1 <= wish.days <= MAXIMUM_DAYS:
        raise Invalid(f"A service account lives 1 to {MAXIMUM_DAYS} days.", code="bad-lifetime", field="days")
    return {
        "tenant": wish.tenant,
        "owner": wish.owner,
        "name": wish.name,
        "scopes": " ".join(sorted(wish.scopes)),
        "method": BY_KEY if wish.jwk is not None else BY_CERTIFICATE,
        "jwk": _text(public_jwk(wish.jwk)) if wish.jwk is not None else None,
    }


def _text(jwk: Mapping[str, str]) -> str:
    return json.dumps(dict(jwk), separators=(",", ":"), sort_keys=True)


def _unknown() -> NotFound:
    return NotFound("Your tenant has no such service account; list them to see their ids.", code="service-not-found")
