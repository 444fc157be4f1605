"""The compromise procedure (docs/how-to/compromised-key.md): what was exposed protects nothing more, is replaced, and
its end is recorded as destroyed-compromised (SP 800-57 Part 1, sections 7.2.5 and 8.3.5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from troth.kernel.errors import NotFound, Unavailable
from troth.kernel.reencryption import Reencrypter
from troth.keys.lifecycle import State
from troth.keys.state import LEASE_SECONDS
from troth.keys.tree import KeyTree
from troth.keys.unit_rows import UnitRow
from troth.keys.units import Destruction, Scope

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

        What the thief could open before stays open to them: units whose secrets they may have read need `units` too.
        """
        return self._tree.replace_compromised_roots(reason)

    def units(self, scope: Scope, reason: str) -> int:
        """Keys of units were exposed: how many were replaced and destroyed.

        Of a person, with those of the shared objects that concern them. When it was stopped half-way, the same call
        with the same reason goes on; another reason is another incident, which replaces all keys once more. Raises
        `NotFound` (code `no-units`), `Unavailable` (code `no-reencryption`) when nobody can move their content: nothing
        was done then.
        """
        rows = self._rows(scope)
        rows = [row for row in rows if (row.state, row.reason) == (State.COMPROMISED, reason)] or rows
        if not rows:
            raise NotFound("No keys stand there; check the tenant's id.", code="no-units")
        if not all(self._movable(row) for row in rows):
            raise Unavailable(
                "Content under these keys cannot be moved to fresh ones yet; rotate them, and erase what was exposed.",
                code="no-reencryption",
            )
        ids = [row.id for row in rows]
        self._tree.mark_compromised(ids, reason)
        self._move(rows)
        self._pause(_WRITES_END_SECONDS)  # whoever took a key before it was marked has written by then
        while self._move(rows):
            pass
        return self._tree.destroy_units(ids).units

    def _rows(self, scope: Scope) -> list[UnitRow]:
        rows = self._tree.units_in(scope)
        if scope.tenant and scope.subject:
            beside = [unit for one in self._reencrypters for unit in one.beside(scope.tenant, scope.subject)]
            rows += self._tree.units_in(Scope.of_units(beside)) if beside else []
        return rows

    def _movable(self, row: UnitRow) -> bool:
        return any(one.covers(row.data_class, row.period) for one in self._reencrypters)

    def _move(self, rows: Sequence[UnitRow]) -> int:
        return sum(one.reencrypt(row.tenant, row.subject, row.id) for row in rows for one in self._reencrypters)
