"""What keys there are: states, epochs, domains, cryptoperiods. Counts only; no secret and no person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from troth.keys.lifecycle import State
from troth.keys.root_rows import RootStanding
from troth.keys.state import TreeState
from troth.keys.store import key_scope, unit


@dataclass(frozen=True, slots=True)
class Inventory:
    """One jurisdiction's keys. Times in epoch milliseconds; `units` and `owners` are numbers by state.

    `due_at`: when the roots have to be rotated; `units_due`: units of periods that protect nothing new any more.
    """

    jurisdiction: str
    epoch: int
    manifest: str
    split: bool
    since: int
    due_at: int
    roots: tuple[RootStanding, ...]
    roots_destroyed: int
    units: dict[str, int]
    owners: dict[str, int]
    suspensions: dict[str, int]
    units_due: int


def inventory(state: TreeState) -> Inventory:
    """The keys as they stand. Raises `Unavailable`, `IntegrityError`."""
    manifest = state.epochs.current().manifest
    jurisdiction = state.store.jurisdiction
    with state.store.read() as connection:
        roots = state.epochs.rows.standing(connection)
        states = select(unit.c.state, func.count()).where(unit.c.jurisdiction == jurisdiction).group_by(unit.c.state)
        owners = select(key_scope.c.state, func.count()).where(key_scope.c.jurisdiction == jurisdiction)
        old = unit.c.created_at < state.epochs.now() - state.periods.unit_ms
        due = select(func.count()).where(
            unit.c.jurisdiction == jurisdiction, unit.c.state == State.ACTIVE, unit.c.name.is_not(None), old
        )
        return Inventory(
            jurisdiction,
            manifest.epoch,
            manifest.digest,
            manifest.split,
            manifest.created,
            manifest.created + state.periods.root_ms,
            tuple(one for one in roots if one.destroyed_at is None),
            sum(one.destroyed_at is not None for one in roots),
            _numbers(connection, states),
            _numbers(connection, owners.group_by(key_scope.c.state)),
            state.suspensions.count(connection),
            int(connection.execute(due).scalar_one()),
        )


def _numbers(connection: Connection, statement: Select[Any]) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in connection.execute(statement)}
