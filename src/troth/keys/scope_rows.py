"""Rows of owners: how many live units a subject has, and whether it or its tenant was revoked or sealed.

A revocation is one row, whatever it covers; so its cost does not depend on how much there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from troth.kernel.errors import Conflict
from troth.keys.lifecycle import Reason, State, require_move
from troth.keys.store import groups, key_scope
from troth.keys.units import Owner

WHOLE = ""  # the subject of a tenant's own row
_FEW = 4  # owners that are looked up one by one


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """Where an owner stands; `units` are the live units of a subject."""

    units: int
    state: State
    sealed_epoch: int | None

    def sealed(self) -> int | None:
        """The epoch at which it was sealed, or None. Raises `Conflict` when it was not revoked."""
        if self.state is State.ACTIVE:
            raise not_revoked()
        return self.sealed_epoch


class ScopeRows:
    """Statements over one jurisdiction's owners; every method works in the caller's connection."""

    def __init__(self, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction
        self._here = key_scope.c.jurisdiction == jurisdiction
        mine = and_(self._here, key_scope.c.tenant == bindparam("t"), key_scope.c.subject == bindparam("s"))
        columns = (
            key_scope.c.tenant,
            key_scope.c.subject,
            key_scope.c.units,
            key_scope.c.state,
            key_scope.c.sealed_epoch,
        )
        self._select = select(*columns).where(self._here)
        self._one = select(*columns).where(mine)  # built once: building costs more than running
        self._add = update(key_scope).where(mine).values(units=key_scope.c.units + bindparam("more"))
        values = {"state": bindparam("to"), "reason": Reason.ERASURE, "changed_at": bindparam("at")}
        self._move = update(key_scope).where(mine, key_scope.c.state == bindparam("was")).values(values)
        self._rotate = update(key_scope).where(mine).values(rotated=bindparam("turn"))
        self._seal = self._move.values(sealed_epoch=bindparam("epoch"))

    def of(self, connection: Connection, owners: Collection[Owner]) -> dict[Owner, ScopeRow]:
        """The rows of owners that have one."""
        found: dict[Owner, ScopeRow] = {}
        for row in self._few(connection, owners) if len(owners) <= _FEW else self._many(connection, owners):
            found[row.tenant, row.subject] = ScopeRow(int(row.units), State(row.state), row.sealed_epoch)
        return found

    def _few(self, connection: Connection, owners: Collection[Owner]) -> Iterator[Any]:
        for tenant, subject in owners:
            yield from connection.execute(self._one, {"t": tenant, "s": subject})

    def _many(self, connection: Connection, owners: Collection[Owner]) -> Iterator[Any]:
        tenants, subjects = sorted({tenant for tenant, _ in owners}), sorted({subject for _, subject in owners})
        for some_tenants, some_subjects in product(groups(tenants), groups(subjects)):
            these = and_(key_scope.c.tenant.in_(some_tenants), key_scope.c.subject.in_(some_subjects))
            yield from connection.execute(self._select.where(these))

    def erased_among(self, connection: Connection, owners: Collection[Owner]) -> set[Owner]:
        """Those for which no key may be made any more."""
        rows = self.of(connection, {*owners, *((tenant, WHOLE) for tenant, _ in owners)})
        erased = {owner for owner, row in rows.items() if row.state is not State.ACTIVE}
        return {owner for owner in owners if owner in erased or (owner[0], WHOLE) in erased}

    def count(self, connection: Connection, changes: Mapping[Owner, int], at: int) -> None:
        """Add to, or take from, the number of live units."""
        self._ensure(connection, changes, at)
        connection.execute(self._add, [{"t": t, "s": s, "more": more} for (t, s), more in changes.items()])

    def revoke(self, connection: Connection, owners: Collection[Owner], at: int) -> None:
        """Mark owners so that nothing of theirs opens here any more. Idempotent."""
        require_move(State.ACTIVE, State.SUSPENDED)
        self._ensure(connection, owners, at)
        connection.execute(self._move, [self._to(owner, State.ACTIVE, State.SUSPENDED, at) for owner in owners])

    def seal(self, connection: Connection, owners: Collection[Owner], epoch: int, at: int) -> None:
        """Mark what was revoked and not yet sealed as destroyed with `epoch`."""
        require_move(State.SUSPENDED, State.DESTROYED)
        rows = [self._to(owner, State.SUSPENDED, State.DESTROYED, at) | {"epoch": epoch} for owner in owners]
        connection.execute(self._seal, rows)

    def rotate(self, connection: Connection, owners: Collection[Owner], change: int, at: int) -> None:
        """Units of these owners that were born before `change` protect nothing new from now on."""
        self._ensure(connection, owners, at)
        connection.execute(self._rotate, [{"t": t, "s": s, "turn": change} for t, s in owners])

    def units(self, connection: Connection, tenant: str) -> int:
        """Live units of a tenant; subjects that were sealed before are not counted again."""
        mine = and_(self._here, key_scope.c.tenant == tenant, key_scope.c.sealed_epoch.is_(None))
        return int(connection.execute(select(func.coalesce(func.sum(key_scope.c.units), 0)).where(mine)).scalar_one())

    def _ensure(self, connection: Connection, owners: Collection[Owner], at: int) -> None:
        there = self.of(connection, owners)
        fresh = {"jurisdiction": self._jurisdiction, "units": 0, "state": State.ACTIVE, "reason": Reason.CREATED}
        missing = [fresh | {"tenant": t, "subject": s, "changed_at": at} for t, s in owners if (t, s) not in there]
        if missing:
            connection.execute(insert(key_scope), missing)

    def _to(self, owner: Owner, was: State, to: State, at: int) -> dict[str, str | int]:
        return {"t": owner[0], "s": owner[1], "was": was, "to": to, "at": at}


def not_revoked() -> Conflict:
    """Sealing comes after revoking."""
    return Conflict("Revoke before sealing.", code="not-revoked")
