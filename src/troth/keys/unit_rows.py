"""Rows of units and of erased scopes: who a unit belongs to and whether it may still be used. No secret is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, insert, select, update

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, NotFound
from troth.keys.lifecycle import State
from troth.keys.store import ERASURE, groups, key_scope, unit
from troth.keys.units import Scope, UnitRequest

_person, _whole = key_scope.alias("person"), key_scope.alias("whole")
WHOLE = ""  # the subject of a tenant's own scope row


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit and its state; `erased` is true when it, its subject or its tenant was revoked."""

    id: bytes
    tenant: str
    subject: str
    data_class: str
    period: str
    name: str | None
    generation: int
    erased: bool

    @property
    def binding(self) -> tuple[str, str, str, str]:
        """What the unit's key is derived for."""
        return self.tenant, self.subject, self.data_class, self.period

    def require_live(self) -> None:
        """Raises `Gone` when the unit was erased."""
        if self.erased:
            raise gone()


class UnitRows:
    """Statements over one jurisdiction's units; every method works in the caller's connection."""

    def __init__(self, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction
        self._select = _joined().where(unit.c.jurisdiction == jurisdiction)
        self._by_id = self._select.where(unit.c.id == bindparam("one"))
        self._by_name = self._select.where(unit.c.name == bindparam("one"))

    def by_id(self, connection: Connection, identifier: bytes) -> UnitRow | None:
        """The unit of that id."""
        return _one(connection, self._by_id, identifier.hex())

    def by_name(self, connection: Connection, name: str) -> UnitRow | None:
        """The live shared unit of that name."""
        return _one(connection, self._by_name, name)

    def by_ids(self, connection: Connection, identifiers: Sequence[bytes]) -> list[UnitRow]:
        """The units of those ids, in their order. Raises `NotFound` when one never existed."""
        found = {row.id: row for row in self._in(connection, unit.c.id, [one.hex() for one in identifiers])}
        if any(one not in found for one in identifiers):
            raise unknown()
        return [found[one] for one in identifiers]

    def by_names(self, connection: Connection, names: Iterable[str]) -> dict[str, UnitRow]:
        """Live shared units by name."""
        rows = self._in(connection, unit.c.name, sorted(set(names)))
        return {row.name: row for row in rows if row.name}

    def erased_among(self, connection: Connection, owners: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (tenant, subject) for which no key may be made any more."""
        tenants, subjects = (
            sorted({tenant for tenant, _ in owners}),
            sorted({subject for _, subject in owners} | {WHOLE}),
        )
        blocked: set[tuple[str, str]] = set()
        for some_tenants, some_subjects in product(groups(tenants), groups(subjects)):
            statement = select(key_scope.c.tenant, key_scope.c.subject).where(
                key_scope.c.jurisdiction == self._jurisdiction,
                key_scope.c.state != State.ACTIVE,
                key_scope.c.tenant.in_(some_tenants),
                key_scope.c.subject.in_(some_subjects),
            )
            blocked |= {(str(tenant), str(subject)) for tenant, subject in connection.execute(statement)}
        return {owner for owner in owners if owner in blocked or (owner[0], WHOLE) in blocked}

    def add(self, connection: Connection, rows: Sequence[UnitRow], at: int) -> None:
        """Insert fresh units and count them at their owners; the caller has checked the owners."""
        connection.execute(insert(unit), [self._values(row, at) for row in rows])
        counts = Counter((row.tenant, row.subject) for row in rows)
        self._ensure(connection, counts, at)
        statement = (
            update(key_scope)
            .where(self._scope(bindparam("of_tenant"), bindparam("of_subject")))
            .values(units=key_scope.c.units + bindparam("more"))
        )
        values = [{"of_tenant": t, "of_subject": s, "more": more} for (t, s), more in counts.items()]
        connection.execute(statement, values)

    def revoke_units(self, connection: Connection, rows: Sequence[UnitRow], at: int) -> None:
        """Mark units so that they do not open here any more. Idempotent."""
        values = {"state": State.SUSPENDED, "reason": ERASURE, "changed_at": at, "name": None}
        for row in rows:
            mine = (unit.c.id == row.id.hex()) & (unit.c.state == State.ACTIVE)
            if connection.execute(update(unit).where(mine).values(values)).rowcount:
                owner = self._scope(row.tenant, row.subject)
                connection.execute(update(key_scope).where(owner).values(units=key_scope.c.units - 1))

    def revoke_scope(self, connection: Connection, tenant: str, subject: str, at: int) -> None:
        """Mark a subject, or with `WHOLE` a tenant. Idempotent; the cost does not depend on the number of units."""
        self._ensure(connection, [(tenant, subject)], at)
        connection.execute(
            update(key_scope)
            .where(self._scope(tenant, subject), key_scope.c.state == State.ACTIVE)
            .values(state=State.SUSPENDED, reason=ERASURE, changed_at=at)
        )

    def sealed_epoch(self, connection: Connection, scope: Scope) -> list[int | None]:
        """The epochs at which a revoked scope was sealed (None: not yet). Raises `Conflict` when it is not revoked."""
        if scope.tenant is not None:
            column, state, where = key_scope.c.sealed_epoch, key_scope.c.state, self._scope_of(scope)
            rows = connection.execute(select(column, state).where(where)).all()
            return [_sealed(rows[0] if rows else None)]
        found: list[int | None] = []
        for group in groups([one.hex() for one in scope.units]):
            statement = select(unit.c.sealed_epoch, unit.c.state).where(unit.c.id.in_(group))
            rows = connection.execute(statement).all()
            found += [_sealed(row) for row in rows]
        return found

    def seal(self, connection: Connection, scope: Scope, epoch: int, at: int) -> None:
        """Mark what was revoked and not yet sealed as destroyed with `epoch`."""
        values = {"state": State.DESTROYED, "changed_at": at, "sealed_epoch": epoch}
        if scope.tenant is not None:
            mine = self._scope_of(scope) & (key_scope.c.state == State.SUSPENDED)
            connection.execute(update(key_scope).where(mine).values(values))
        for group in groups([one.hex() for one in scope.units]):
            these = unit.c.id.in_(group) & (unit.c.state == State.SUSPENDED)
            connection.execute(update(unit).where(these).values(values))

    def count(self, connection: Connection, scope: Scope) -> int:
        """How many unit keys a revoked scope takes with it."""
        if scope.tenant is None:
            return len(scope.units)
        mine = (key_scope.c.jurisdiction == self._jurisdiction) & (key_scope.c.tenant == scope.tenant)
        if scope.subject is not None:
            mine &= key_scope.c.subject == scope.subject
        else:
            mine &= key_scope.c.sealed_epoch.is_(None)  # subjects that were destroyed before are not counted again
        return int(connection.execute(select(func.coalesce(func.sum(key_scope.c.units), 0)).where(mine)).scalar_one())

    def _in(self, connection: Connection, column: ColumnElement[Any], values: Sequence[str]) -> list[UnitRow]:
        return [
            _row(found)
            for group in groups(values)
            for found in connection.execute(self._select.where(column.in_(group)))
        ]

    def _ensure(self, connection: Connection, owners: Collection[tuple[str, str]], at: int) -> None:
        """Scope rows for owners that have none yet."""
        there: set[tuple[str, str]] = set()
        for group in groups(sorted({subject for _, subject in owners})):
            mine = (key_scope.c.jurisdiction == self._jurisdiction) & key_scope.c.subject.in_(group)
            rows = connection.execute(select(key_scope.c.tenant, key_scope.c.subject).where(mine))
            there |= {(str(tenant), str(subject)) for tenant, subject in rows}
        fresh = {"jurisdiction": self._jurisdiction, "units": 0, "state": State.ACTIVE, "reason": "created"}
        missing = [fresh | {"tenant": t, "subject": s, "changed_at": at} for t, s in owners if (t, s) not in there]
        if missing:
            connection.execute(insert(key_scope), missing)

    def _scope(self, tenant: Any, subject: Any) -> ColumnElement[bool]:
        return and_(
            key_scope.c.jurisdiction == self._jurisdiction,
            key_scope.c.tenant == tenant,
            key_scope.c.subject == subject,
        )

    def _scope_of(self, scope: Scope) -> ColumnElement[bool]:
        return self._scope(scope.tenant or "", WHOLE if scope.subject is None else scope.subject)

    def _values(self, row: UnitRow, at: int) -> dict[str, Any]:
        return {
            "id": row.id.hex(),
            "jurisdiction": self._jurisdiction,
            "tenant": row.tenant,
            "subject": row.subject,
            "data_class": row.data_class,
            "period": row.period,
            "name": row.name,
            "generation": row.generation,
            "state": State.ACTIVE,
            "reason": "created",
            "created_at": at,
            "changed_at": at,
        }


def new_row(identifier: bytes, request: UnitRequest) -> UnitRow:
    """The row of a unit that is about to be made."""
    data_class: DataClass = request.data_class
    period = request.period or ""
    return UnitRow(identifier, request.tenant, request.subject, data_class.value, period, request.name, 1, False)


def gone() -> Gone:
    """The answer for every erased unit."""
    return Gone("The key of this content was destroyed; the content cannot be opened any more.", code="key-destroyed")


def unknown() -> NotFound:
    """The answer for a unit that never was."""
    return NotFound("There is no key unit of that id.", code="unit-unknown")


def _joined() -> Select[Any]:
    states = (unit.c.state, _person.c.state.label("person"), _whole.c.state.label("whole"))
    owner = (_person.c.jurisdiction == unit.c.jurisdiction) & (_person.c.tenant == unit.c.tenant)
    tenant = (_whole.c.jurisdiction == unit.c.jurisdiction) & (_whole.c.tenant == unit.c.tenant)
    return select(
        unit.c.id,
        unit.c.tenant,
        unit.c.subject,
        unit.c.data_class,
        unit.c.period,
        unit.c.name,
        unit.c.generation,
        *states,
    ).select_from(
        unit.outerjoin(_person, owner & (_person.c.subject == unit.c.subject)).outerjoin(
            _whole, tenant & (_whole.c.subject == WHOLE)
        )
    )


def _one(connection: Connection, statement: Select[Any], value: str) -> UnitRow | None:
    found = connection.execute(statement, {"one": value}).first()
    return None if found is None else _row(found)


def _row(found: Any) -> UnitRow:
    erased = any(one not in (None, State.ACTIVE) for one in (found.state, found.person, found.whole))
    return UnitRow(
        bytes.fromhex(found.id),
        found.tenant,
        found.subject,
        found.data_class,
        found.period,
        found.name,
        found.generation,
        erased,
    )


def _sealed(row: Any) -> int | None:
    if row is None or row.state == State.ACTIVE:
        raise Conflict("Revoke before sealing.", code="not-revoked")
    return None if row.sealed_epoch is None else int(row.sealed_epoch)
