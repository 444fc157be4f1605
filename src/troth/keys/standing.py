"""Changes of standing that destroy nothing: suspending, resuming, and putting units out of use for protecting."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from troth.kernel.errors import Invalid
from troth.keys.extent import Extent
from troth.keys.lifecycle import Reason, State
from troth.keys.state import TreeState
from troth.keys.unit_rows import UnitRow, gone
from troth.keys.units import Scope

_TOKEN = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")


class Standing:
    """Suspends, resumes and rotates scopes of one tree. Every change is one transaction with its log entry."""

    def __init__(self, state: TreeState) -> None:
        self._state = state

    def suspend(self, scope: Scope, reason: str) -> None:
        """Nothing in the scope opens for the product any more. Raises `Gone`, `NotFound`, `Invalid`."""
        state, extent, at = self._state, _extent(scope, reason), self._state.epochs.now()
        with state.lock:
            with state.store.write() as connection:
                rows = self._live(connection, extent)
                if state.suspensions.add(connection, extent.places(rows), reason, at):
                    state.store.bump(connection)
                    state.transitions.moved(connection, State.SUSPENDED, reason, at, extent.facts())
            state.forget()

    def resume(self, scope: Scope, reason: str) -> None:
        """The scope opens again unless it is suspended for another reason. Raises `NotFound`, `Invalid`."""
        state, extent, at = self._state, _extent(scope, reason), self._state.epochs.now()
        with state.lock:
            with state.store.write() as connection:
                rows = state.rows.by_ids(connection, extent.units)
                if state.suspensions.drop(connection, extent.places(rows), reason):
                    state.store.bump(connection)
                    facts = extent.facts() | {"kinds": reason}
                    state.transitions.moved(connection, State.ACTIVE, Reason.RESUMED, at, facts)
            state.forget()

    def rotate(self, scope: Scope) -> None:
        """Shared units in the scope protect nothing new. Raises `Gone`, `NotFound`, `Invalid`."""
        state, extent, at = self._state, Extent.of([scope]), self._state.epochs.now()
        with state.lock:
            with state.store.write() as connection:
                state.store.bump(connection)
                state.rows.age(connection, self._live(connection, extent))
                if extent.owners:
                    state.scopes.rotate(connection, extent.owners, state.store.change_in(connection), at)
                state.transitions.moved(connection, State.DEACTIVATED, Reason.ROTATION, at, extent.facts())
            state.forget()

    def within(self, scope: Scope) -> list[UnitRow]:
        """Units of the scope that are not erased. Raises `NotFound`, `Invalid`."""
        extent = Extent.of([scope])
        with self._state.store.read() as connection:
            return self._state.rows.within(connection, extent.owners, extent.units)

    def compromise(self, units: Sequence[bytes], reason: str) -> None:
        """These units open for re-encryption only. Raises `NotFound`, `Invalid`, `Gone`."""
        state, extent, at = self._state, _extent(Scope.of_units(units), reason), self._state.epochs.now()
        with state.lock:
            with state.store.write() as connection:
                counts = state.rows.compromise(connection, self._live(connection, extent), reason, at)
                state.scopes.count(connection, {owner: -number for owner, number in counts.items()}, at)
                state.store.bump(connection)
                state.transitions.moved(connection, State.COMPROMISED, reason, at, extent.facts())
            state.forget()

    def _live(self, connection: Connection, extent: Extent) -> Sequence[UnitRow]:
        rows = self._state.rows.by_ids(connection, extent.units)
        if any(row.erased for row in rows) or self._state.scopes.erased_among(connection, extent.owners):
            raise gone()
        return rows


def require_reason(reason: str) -> None:
    """Raises `Invalid` unless it is a token: free text has no place in a log."""
    if not _TOKEN.match(reason):
        raise Invalid("A reason is a token of lower-case letters, digits and dashes.", code="key-reason")


def _extent(scope: Scope, reason: str) -> Extent:
    require_reason(reason)
    return Extent.of([scope])
