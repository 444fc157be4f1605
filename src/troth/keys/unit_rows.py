"""Rows of units: whose they are and whether they may still be used. No secret is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select, update

from troth.kernel.errors import Gone, NotFound
from troth.keys.lifecycle import Reason, State, Use, require_use
from troth.keys.scope_rows import WHOLE, not_revoked
from troth.keys.store import changed, groups, key_scope, unit
from troth.keys.suspension_rows import HELD
from troth.keys.units import Owner, UnitRequest
from troth.storage.prepared import PreparedInsert, PreparedSelect

_FIRST = 1  # the lowest value of key_tree.change; a unit born before it is older than every rotation
_LIVE = (State.ACTIVE, State.DEACTIVATED)
_REVOKED = (State.SUSPENDED, State.DESTROYED, State.DESTROYED_COMPROMISED)  # suspensions have rows of their own
_person, _whole = key_scope.alias("person"), key_scope.alias("whole")
_COLUMNS = [column.name for column in unit.columns if column.name != "sealed_epoch"]
_ADD = PreparedInsert(unit, *_COLUMNS)
_REVOKE = (
    update(unit)
    .where(unit.c.id == bindparam("one"), unit.c.state.in_(_LIVE))
    .values(state=State.SUSPENDED, reason=Reason.ERASURE, changed_at=bindparam("at"), name=None)
)

_STATE = PreparedSelect(select(unit.c.state).where(unit.c.id == bindparam("one")).with_for_update(read=True))

_REPLACE = (
    update(unit)
    .where(unit.c.id == bindparam("one"), unit.c.state == State.ACTIVE, unit.c.name.is_not(None))
    .values(state=State.DEACTIVATED, reason=Reason.ROTATION, changed_at=bindparam("at"), name=None)
)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit and where it stands.

    `erased`: it, its subject or its tenant was revoked. `state` otherwise; `stale`: it may protect nothing new.
    """

    id: bytes
    tenant: str
    subject: str
    data_class: str
    period: str
    name: str | None
    generation: int
    erased: bool
    state: State = State.ACTIVE
    stale: bool = False
    created_at: int = 0
    reason: str = Reason.CREATED

    @property
    def binding(self) -> tuple[str, str, str, str]:
        """What the unit's key is derived for."""
        return self.tenant, self.subject, self.data_class, self.period

    def require(self, use: Use) -> None:
        """Raises `Gone` when the unit was erased, `Conflict` when its state does not open for `use`."""
        if self.erased:
            raise gone()
        require_use(self.state, use)


class UnitRows:
    """Statements over one jurisdiction's units; every method works in the caller's connection."""

    def __init__(self, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction
        self._select = _joined().where(unit.c.jurisdiction == jurisdiction)
        self._by_id = self._select.where(unit.c.id == bindparam("one"))

    def by_id(self, connection: Connection, identifier: bytes) -> UnitRow | None:
        """The unit of that id."""
        found = connection.execute(self._by_id, {"one": identifier.hex()}).first()
        return None if found is None else _row(found)

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

    def add(self, connection: Connection, rows: Sequence[UnitRow], born: int, at: int) -> None:
        """Insert fresh units; the caller has checked and counts their owners."""
        _ADD.run(connection, [self._values(row, born, at) for row in rows])

    def replace(self, connection: Connection, rows: Iterable[UnitRow], at: int) -> None:
        """Take units out of use for protecting; they go on opening. Raises `Conflict` when one changed meanwhile."""
        for row in rows:
            if connection.execute(_REPLACE, {"one": row.id.hex(), "at": at}).rowcount != 1:
                raise changed()

    def age(self, connection: Connection, rows: Iterable[UnitRow]) -> None:
        """Make units older than every rotation: the next of their names is a next generation."""
        for group in groups([row.id.hex() for row in rows]):
            connection.execute(update(unit).where(unit.c.id.in_(group)).values(born=_FIRST - 1))

    def revoke(self, connection: Connection, rows: Sequence[UnitRow], at: int) -> Counter[Owner]:
        """Mark units so that they do not open here any more; how many went, by owner. Idempotent."""
        gone_from: Counter[Owner] = Counter()
        for row in rows:
            moved = connection.execute(_REVOKE, {"one": row.id.hex(), "at": at}).rowcount
            if moved and not row.erased:  # a revoked owner's number stays what it was when it was revoked
                gone_from[row.tenant, row.subject] += 1
        return gone_from

    def within(self, connection: Connection, owners: Iterable[Owner], identifiers: Sequence[bytes]) -> list[UnitRow]:
        """Units of these owners (a subject `WHOLE` is a whole tenant) and of those ids that are not erased."""
        found = {row.id: row for row in self.by_ids(connection, identifiers)}
        for tenant, subject in owners:
            mine = (unit.c.tenant == tenant) & (
                unit.c.subject.is_not(None) if subject == WHOLE else unit.c.subject == subject
            )
            found |= {row.id: row for row in map(_row, connection.execute(self._select.where(mine)))}
        return [row for row in found.values() if not row.erased]

    def compromise(self, connection: Connection, rows: Iterable[UnitRow], reason: str, at: int) -> Counter[Owner]:
        """Mark units compromised; how many went out of use, by owner. Idempotent."""
        gone_from: Counter[Owner] = Counter()
        for row in rows:
            here = (unit.c.id == row.id.hex()) & unit.c.state.in_(_LIVE)
            values = {"state": State.COMPROMISED, "reason": reason, "changed_at": at, "name": None}
            gone_from[row.tenant, row.subject] += connection.execute(update(unit).where(here).values(values)).rowcount
        return gone_from

    def lock_protecting(self, connection: Connection, identifier: bytes) -> None:
        """Keep a unit from being marked compromised until this transaction ends. Raises `Conflict` when it was."""
        if any(state == State.COMPROMISED for (state,) in _STATE.within(connection, {"one": identifier.hex()})):
            require_use(State.COMPROMISED, Use.PRODUCT)

    def sealed_epochs(self, connection: Connection, identifiers: Sequence[bytes]) -> list[int | None]:
        """The epochs at which revoked units were sealed (None: not yet). Raises `Conflict` for one not revoked."""
        found: list[int | None] = []
        for group in groups([one.hex() for one in identifiers]):
            rows = connection.execute(select(unit.c.sealed_epoch, unit.c.state).where(unit.c.id.in_(group))).all()
            if any(row.state in _LIVE for row in rows):
                raise not_revoked()
            found += [row.sealed_epoch for row in rows]
        return found

    def seal(self, connection: Connection, identifiers: Sequence[bytes], epoch: int, at: int) -> None:
        """Mark what was revoked and not yet sealed as destroyed with `epoch`."""
        ends = {State.SUSPENDED: State.DESTROYED, State.COMPROMISED: State.DESTROYED_COMPROMISED}
        for group in groups([one.hex() for one in identifiers]):
            for was, to in ends.items():
                these = unit.c.id.in_(group) & (unit.c.state == was)
                values = {"state": to, "changed_at": at, "sealed_epoch": epoch}
                connection.execute(update(unit).where(these).values(values))

    def _in(self, connection: Connection, column: ColumnElement[Any], values: Sequence[str]) -> list[UnitRow]:
        return [
            _row(found)
            for group in groups(values)
            for found in connection.execute(self._select.where(column.in_(group)))
        ]

    def _values(self, row: UnitRow, born: int, at: int) -> dict[str, Any]:
        return {
            "id": row.id.hex(),
            "jurisdiction": self._jurisdiction,
            "tenant": row.tenant,
            "subject": row.subject,
            "data_class": row.data_class,
            "period": row.period,
            "name": row.name,
            "generation": row.generation,
            "born": born,
            "state": State.ACTIVE.value,
            "reason": Reason.CREATED,
            "created_at": at,
            "changed_at": at,
        }


def new_row(identifier: bytes, request: UnitRequest, generation: int = 1) -> UnitRow:
    """The row of a unit that is about to be made."""
    owner = (request.tenant, request.subject, request.data_class.value, request.period or "")
    return UnitRow(identifier, *owner, request.name, generation, False)


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
        unit.c.born,
        unit.c.created_at,
        unit.c.reason,
        _person.c.rotated.label("person_rotated"),
        _whole.c.rotated.label("whole_rotated"),
        HELD,
        *states,
    ).select_from(
        unit.outerjoin(_person, owner & (_person.c.subject == unit.c.subject)).outerjoin(
            _whole, tenant & (_whole.c.subject == WHOLE)
        )
    )


def _row(found: Any) -> UnitRow:
    own = State(found.state)
    erased = own in _REVOKED or any(one not in (None, State.ACTIVE) for one in (found.person, found.whole))
    return UnitRow(
        bytes.fromhex(found.id),
        found.tenant,
        found.subject,
        found.data_class,
        found.period,
        found.name,
        found.generation,
        erased,
        State.SUSPENDED if found.held and own is not State.COMPROMISED else own,
        found.born < max(_FIRST, found.person_rotated or 0, found.whole_rotated or 0),
        found.created_at,
        found.reason,
    )
