"""Rows of epoch roots: their SP 800-57 states with times, and the evidence of their destruction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import Connection, case, insert, select, update

from troth.keys.lifecycle import Reason, State, require_move
from troth.keys.manifest import Manifest
from troth.keys.store import changed, key_root
from troth.keys.units import RootDestroyed

_GIVEN_UP = (Reason.RETIRED, Reason.LOST)


@dataclass(frozen=True, slots=True)
class Retired:
    """What becomes of the roots that a new epoch replaces: deactivated, or compromised; and why."""

    state: State = State.DEACTIVATED
    reason: str = Reason.REPLACED


@dataclass(frozen=True, slots=True)
class RootRow:
    """One root of one domain."""

    domain: str
    root: str
    epoch: int
    assurance: str
    state: State


@dataclass(frozen=True, slots=True)
class RootStanding:
    """Where a root stands and since when (epoch ms; None: not yet)."""

    domain: str
    root: str
    epoch: int
    assurance: str
    state: State
    reason: str
    created_at: int
    activated_at: int | None
    deactivated_at: int | None
    destroyed_at: int | None


class RootRows:
    """Statements over one jurisdiction's roots; every method works in the caller's connection."""

    def __init__(self, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction

    def register(self, connection: Connection, roots: Sequence[RootRow], at: int) -> None:
        """Record roots before they are made, so that a crash leaves none unknown."""
        rows = [
            {"domain": one.domain, "root": one.root, "jurisdiction": self._jurisdiction, "epoch": one.epoch}
            | {"assurance": one.assurance, "state": State.PRE_ACTIVATION, "reason": Reason.EPOCH, "created_at": at}
            for one in roots
        ]
        connection.execute(insert(key_root), rows)

    def activate(self, connection: Connection, manifest: Manifest, at: int, retired: Retired) -> int:
        """Put a manifest's roots in use and all others out of it; how many went out.

        Raises `Conflict` when one was given up meanwhile.
        """
        for one in manifest.domains:
            mine = (key_root.c.domain == one.domain) & (key_root.c.root == one.root)
            waiting = mine & (key_root.c.state == State.PRE_ACTIVATION)
            values = {"state": State.ACTIVE, "activated_at": at}
            if connection.execute(update(key_root).where(waiting).values(values)).rowcount != 1:
                raise changed()
        others = [row for row in self.unfinished(connection) if row.state is State.ACTIVE]
        others = [row for row in others if row.epoch != manifest.epoch]
        for row in others:
            self._move(connection, row, retired.state, at, retired.reason)
        return len(others)

    def give_up(self, connection: Connection, at: int) -> list[RootRow]:
        """Withdraw every root that no manifest uses; those and earlier ones that wait to be destroyed."""
        for row in self.unfinished(connection):
            if row.state is State.PRE_ACTIVATION:
                self._move(connection, row, State.SUSPENDED, at, Reason.ABANDONED)
        return [row for row in self.unfinished(connection) if row.state is not State.ACTIVE]

    def unfinished(self, connection: Connection) -> list[RootRow]:
        """All roots that are not yet destroyed."""
        statement = (
            select(key_root.c.domain, key_root.c.root, key_root.c.epoch, key_root.c.assurance, key_root.c.state)
            .where(key_root.c.jurisdiction == self._jurisdiction, key_root.c.destroyed_at.is_(None))
            .order_by(key_root.c.epoch, key_root.c.domain)
        )
        return [
            RootRow(row.domain, row.root, row.epoch, row.assurance, State(row.state))
            for row in connection.execute(statement)
        ]

    def standing(self, connection: Connection) -> list[RootStanding]:
        """All roots ever recorded, oldest first."""
        columns = [key_root.c[one.name] for one in fields(RootStanding)]
        here = select(*columns).where(key_root.c.jurisdiction == self._jurisdiction)
        rows = connection.execute(here.order_by(key_root.c.epoch, key_root.c.domain)).mappings()
        return [RootStanding(**{**row, "state": State(row["state"])}) for row in rows]

    def known(self, connection: Connection, domain: str) -> dict[str, bool]:
        """All roots ever recorded for a domain, and whether each was destroyed."""
        mine = (key_root.c.domain == domain) & (key_root.c.jurisdiction == self._jurisdiction)
        rows = connection.execute(select(key_root.c.root, key_root.c.destroyed_at).where(mine))
        return {row.root: row.destroyed_at is not None for row in rows}

    def retire(self, connection: Connection, domain: str, reason: str) -> None:
        """Mark the roots of a domain that is given up; the mark stays with them, whatever becomes of them."""
        mine = (key_root.c.domain == domain) & (key_root.c.jurisdiction == self._jurisdiction)
        connection.execute(update(key_root).where(mine & key_root.c.destroyed_at.is_(None)).values(reason=reason))

    def given_up(self, connection: Connection) -> dict[str, bool]:
        """Domains that were given up, and whether one of their roots is lost without a proof of its destruction."""
        mine = (key_root.c.jurisdiction == self._jurisdiction) & key_root.c.reason.in_(_GIVEN_UP)
        found: dict[str, bool] = {}
        for row in connection.execute(
            select(key_root.c.domain, key_root.c.reason, key_root.c.destroyed_at).where(mine)
        ):
            lost = row.reason == Reason.LOST and row.destroyed_at is None
            found[row.domain] = found.get(row.domain, False) or lost
        return found

    def destroyed(self, connection: Connection, row: RootRow, at: int, evidence: str) -> None:
        """Record a confirmed destruction."""
        to = State.DESTROYED_COMPROMISED if row.state is State.COMPROMISED else State.DESTROYED
        require_move(row.state, to)
        mine = (key_root.c.domain == row.domain) & (key_root.c.root == row.root) & key_root.c.destroyed_at.is_(None)
        values = {"state": to, "destroyed_at": at, "evidence": evidence}
        connection.execute(update(key_root).where(mine).values(values))

    def destructions(self, connection: Connection, first: int, last: int) -> tuple[RootDestroyed, ...]:
        """Confirmed destructions of the roots that were in use in epochs `first` to `last`."""
        rows = connection.execute(
            select(key_root)
            .where(
                key_root.c.jurisdiction == self._jurisdiction,
                key_root.c.epoch.between(first, last),
                key_root.c.activated_at.is_not(None),
                key_root.c.destroyed_at.is_not(None),
            )
            .order_by(key_root.c.epoch, key_root.c.domain)
        )
        return tuple(
            RootDestroyed(row.domain, row.root, row.assurance, int(row.destroyed_at), str(row.evidence)) for row in rows
        )

    def _move(self, connection: Connection, row: RootRow, to: State, at: int, reason: str) -> None:
        require_move(row.state, to)
        mine = (key_root.c.domain == row.domain) & (key_root.c.root == row.root)
        kept = case((key_root.c.reason.in_(_GIVEN_UP), key_root.c.reason), else_=reason)
        values = {"state": to, "deactivated_at": at, "reason": kept}
        connection.execute(update(key_root).where(mine).values(values))
