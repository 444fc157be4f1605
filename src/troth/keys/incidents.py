"""The compromise procedure (docs/how-to/compromised-key.md): what was exposed protects nothing more, is replaced, and
its end is recorded as destroyed-compromised (SP 800-57 Part 1, sections 7.2.5 and 8.3.5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from troth.kernel.errors import NotFound, Unavailable
from troth.kernel.reencryption import Reencrypter
from troth.keys.lifecycle import State
from troth.keys.state import LEASE_SECONDS
from troth.keys.tree import KeyTree
from troth.keys.unit_rows import UnitRow
from troth.keys.units import Destruction, Scope


class Told(Protocol):
    """Hears how far a move is."""

    def __call__(self, done: int, moved: int, *, last: bool) -> None:
        """So many units were looked through, `moved` things with the one just done; `last` of this pass."""
        ...


_WRITES_END_SECONDS = 1.0 + LEASE_SECONDS  # a field is sealed and written within milliseconds


class Incidents:
    """Answers a compromise. `reencrypters` hold what is sealed under units; `pause` waits so many seconds."""

    def __init__(
        self,
        tree: KeyTree,
        reencrypters: Sequence[Reencrypter] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tree = tree
        self._reencrypters = reencrypters
        self._pause = pause

    def roots(self, reason: str) -> Destruction:
        """Roots or the root page's key were exposed: fresh roots, and a fresh key for every page of the tree.

        What the thief could open before stays open to them: units whose secrets they may have read need `begin` too.
        """
        return self._tree.replace_compromised_roots(reason)

    def concerned(self, scope: Scope) -> list[UnitRow]:
        """The units of a tenant, or of a person with those of the shared objects that concern them.

        Raises `NotFound` (code `no-units`), `Unavailable` (code `no-reencryption`) when nobody can move their content.
        """
        rows = self._tree.units_in(scope)
        if scope.tenant and scope.subject:
            beside = [unit for one in self._reencrypters for unit in one.beside(scope.tenant, scope.subject)]
            rows += self._tree.units_in(Scope.of_units(beside)) if beside else []
        if not rows:
            raise NotFound("No keys stand there; check the tenant's id.", code="no-units")
        if not all(self._movable(row) for row in rows):
            raise Unavailable(
                "Content under these keys cannot be moved to fresh ones yet; rotate them, and erase what was exposed.",
                code="no-reencryption",
            )
        return rows

    def begin(self, scope: Scope, reason: str) -> int:
        """Mark: from now on these units open for re-encryption only. How many are to be replaced.

        Again it also marks what was made since. Raises as `concerned`, and `Invalid`.
        """
        rows = self.concerned(scope)
        self._tree.mark_compromised([row.id for row in rows], reason)
        return len(rows)

    def finish(self, tenant: str, reason: str, told: Told | None = None) -> int:
        """Move what stands under the tenant's units that are marked for that reason, then destroy them; how many.

        Raises whatever stops it; the same call goes on later.
        """
        rows = self._marked(tenant, reason)
        if not rows:
            return 0
        self._move(rows, told)
        self._pause(_WRITES_END_SECONDS)  # whoever took a key before it was marked has written by then
        while self._move(rows, told):
            pass
        return self._tree.destroy_units([row.id for row in rows]).units

    def _marked(self, tenant: str, reason: str) -> list[UnitRow]:
        """Also those of shared objects that moved away already: nothing of a person leads to them any more."""
        within = self._tree.units_in(Scope.of_tenant(tenant))
        return [row for row in within if (row.state, row.reason) == (State.COMPROMISED, reason)]

    def _movable(self, row: UnitRow) -> bool:
        return any(one.covers(row.data_class, row.period) for one in self._reencrypters)

    def _move(self, rows: Sequence[UnitRow], told: Told | None) -> int:
        count = 0
        for done, row in enumerate(rows, 1):
            moved = sum(one.reencrypt(row.tenant, row.subject, row.id) for one in self._reencrypters)
            count += moved
            if told is not None:
                told(done, moved, last=done == len(rows))
        return count
