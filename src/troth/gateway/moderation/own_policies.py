"""The policy of a tenant over the floor of the installation: proposed by one person, in force when another approves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from troth.gateway.moderation.policy import Policy
from troth.gateway.moderation.tables import policies
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.ids import new_id
from troth.kernel.personal import TenantFence
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect

PROPOSED, IN_FORCE, OVER = "proposed", "in-force", "over"
_IN_FORCE = PreparedSelect(
    select(policies.c.text).where(policies.c.tenant == bindparam("of"), policies.c.state == IN_FORCE)
)


@dataclass(frozen=True, slots=True)
class Row:
    """One policy that a tenant wrote. Times in epoch ms."""

    id: str
    text: str
    digest: str
    state: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None


@lru_cache(maxsize=256)
def _over(floor: OwnPolicies, text: str) -> Policy:
    return floor.floor.over(text, "own")


class OwnPolicies:
    """Policies by tenant."""

    def __init__(self, database: Database, clock: Clock, floor: Policy, fence: TenantFence) -> None:
        self.floor = floor
        self._database, self._clock, self._fence = database, clock, fence

    def of(self, tenant: str) -> Policy:
        """What is in force for a tenant."""
        rows = self._database.rows(_IN_FORCE, {"of": tenant})
        return _over(self, str(rows[0][0])) if rows else self.floor

    def all(self, tenant: str) -> list[Row]:
        """What the tenant wrote, newest first."""
        mine = select(policies).where(policies.c.tenant == tenant)
        with self._database.read() as connection:
            found = connection.execute(mine.order_by(policies.c.proposed_at.desc(), policies.c.id).limit(50))
            return [_row(dict(one)) for one in found.mappings()]

    def propose(self, tenant: str, text: str, actor: str) -> Row:
        """Put a policy on file; the proposal before it goes. Raises `Invalid`, `Denied` (policy-too-weak), `Gone`."""
        self.floor.require_strict(text)
        self.floor.over(text, "own")
        row = Row(
            new_id("mpo"), text, hashlib.sha256(text.encode()).hexdigest(), PROPOSED, actor,
            epoch_ms(self._clock.now()), None, None,
        )  # fmt: skip
        with self._database.write() as connection:
            self._fence(connection, tenant)
            waits = (policies.c.tenant == tenant, policies.c.state == PROPOSED)
            connection.execute(delete(policies).where(*waits))
            connection.execute(
                insert(policies), {"tenant": tenant} | {name: getattr(row, name) for name in row.__slots__}
            )
        return row

    def approve(self, tenant: str, policy_id: str, actor: str) -> Row:
        """A second person puts it in force. Raises `NotFound`, `Denied` (own-proposal), `Conflict` (not-waiting).

        The floor may have become stricter meanwhile: then `Denied` (policy-too-weak).
        """
        with self._database.write() as connection:
            row = _locked(connection, tenant, policy_id)
            if row.state != PROPOSED:
                raise Conflict("This policy does not wait for an approval.", code="not-waiting")
            if row.proposed_by == actor:
                raise Denied("Nobody approves what they proposed; ask somebody else.", code="own-proposal")
            self.floor.require_strict(row.text)
            mine = policies.c.tenant == tenant
            connection.execute(update(policies).where(mine, policies.c.state == IN_FORCE).values(state=OVER))
            now = {"state": IN_FORCE, "approved_by": actor, "approved_at": epoch_ms(self._clock.now())}
            connection.execute(update(policies).where(mine, policies.c.id == policy_id).values(now))
            return _locked(connection, tenant, policy_id)


def _locked(connection: Connection, tenant: str, policy_id: str) -> Row:
    wanted = select(policies).where(policies.c.tenant == tenant, policies.c.id == policy_id).with_for_update()
    found = connection.execute(wanted).mappings().first()
    if found is None:
        raise NotFound("There is no such policy; list those of your tenant to see their ids.")
    return _row(dict(found))


def _row(found: dict[str, Any]) -> Row:
    return Row(**{name: found[name] for name in Row.__slots__})
