"""Routing policies of tenants: set by an owner, in force at once when they only narrow; a looser one needs a second
person, who is not the one who wished for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, String, Table, Text, bindparam, select, update

from troth.gateway.vendors.routing import ANYTHING, RoutingPolicy, looser
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Denied, NotFound
from troth.kernel.personal import TenantFence
from troth.storage.database import Big, Database, metadata
from troth.storage.prepared import PreparedSelect
from troth.storage.tenant_rows import TenantRows
from troth.vault.tables import insert_missing

policies = Table(
    "routing_policy",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("policy", Text, nullable=False),  # JSON of vendors.routing.RoutingPolicy
    Column("set_by", String(64), nullable=False),
    Column("set_at", Big, nullable=False),
    Column("wished", Text),  # a looser one that waits
    Column("wished_by", String(64)),
    Column("wished_at", Big),
)
_OF = PreparedSelect(select(policies.c.policy).where(policies.c.tenant == bindparam("of")))
_NO_WISH: dict[str, Any] = {"wished": None, "wished_by": None, "wished_at": None}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force, and what waits for a second person: the policy, who wished for it, and in what it is looser."""

    policy: RoutingPolicy
    set_at: int | None = None
    wished: RoutingPolicy | None = None
    wished_by: str | None = None
    looser: tuple[str, ...] = ()


class RoutingPolicies:
    """Implements `vendors.router.PolicySource`."""

    def __init__(self, database: Database, clock: Clock, fence: TenantFence) -> None:
        self._database = database
        self._clock = clock
        self._fence = fence

    def of(self, tenant: str) -> RoutingPolicy:
        """The policy in force; the empty one when none was set."""
        rows = self._database.rows(_OF, {"of": tenant})
        return _read(str(rows[0][0])) if rows else ANYTHING

    def standing(self, tenant: str) -> Standing:
        """What is in force, and what waits."""
        with self._database.read() as connection:
            return _standing(_row(connection, tenant))

    def set(self, tenant: str, policy: RoutingPolicy, actor: str) -> Standing:
        """Put a policy in force, or, when it is looser than what holds, keep it until somebody else approves."""
        now, text = epoch_ms(self._clock.now()), policy.model_dump_json()
        with self._database.write() as connection:
            self._fence(connection, tenant)
            fresh = {"tenant": tenant, "policy": ANYTHING.model_dump_json(), "set_by": actor, "set_at": now}
            insert_missing(connection, policies, fresh)
            if looser(_standing(_row(connection, tenant, alone=True)).policy, policy):
                change = {"wished": text, "wished_by": actor, "wished_at": now}
            else:
                change = {"policy": text, "set_by": actor, "set_at": now} | _NO_WISH
            connection.execute(update(policies).where(policies.c.tenant == tenant).values(change))
            return _standing(_row(connection, tenant))

    def decide(self, tenant: str, actor: str, *, approved: bool) -> Standing:
        """Approve what waits, or put it away. Raises `Denied` (same-person) for who wished, `NotFound` for nothing."""
        with self._database.write() as connection:
            self._fence(connection, tenant)
            row = _row(connection, tenant, alone=True)
            if row is None or row["wished"] is None:
                raise NotFound("No looser routing policy waits for approval.", code="nothing-waits")
            if approved and row["wished_by"] == actor:
                raise Denied("A looser policy is approved by somebody other than who asked for it; ask a colleague.",
                             code="same-person")  # fmt: skip
            change = dict(_NO_WISH)
            if approved:
                change |= {"policy": row["wished"], "set_by": row["wished_by"], "set_at": epoch_ms(self._clock.now())}
            connection.execute(update(policies).where(policies.c.tenant == tenant).values(change))
            return _standing(_row(connection, tenant))


def routing_holder(database: Database) -> TenantRows:
    """What drops a tenant's policy with the tenant, and forgets who set it or wished for it with them."""
    return TenantRows("routing", database, policies, kind="routing-policy", named=("set_by", "wished_by"))


@lru_cache(maxsize=256)
def _read(text: str) -> RoutingPolicy:
    return RoutingPolicy.model_validate_json(text)


def _row(connection: Connection, tenant: str, *, alone: bool = False) -> Any:
    """`alone`: nobody else changes it until the end of this transaction."""
    wanted = select(policies).where(policies.c.tenant == tenant)
    return connection.execute(wanted.with_for_update() if alone else wanted).mappings().first()


def _standing(row: Any) -> Standing:
    if row is None:
        return Standing(ANYTHING)
    policy = _read(row["policy"])
    if row["wished"] is None:
        return Standing(policy, row["set_at"])
    wished = _read(row["wished"])
    return Standing(policy, row["set_at"], wished, row["wished_by"], tuple(looser(policy, wished)))
