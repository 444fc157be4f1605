"""Destroying the keys of erasures: of one, or of many with one root."""

from __future__ import annotations

from collections.abc import Sequence

from troth.keys.tree import Destruction, Scope
from troth.vault import endings, ledger
from troth.vault.disposal import Disposal, today
from troth.vault.ground import Ground
from troth.vault.ledger import Erasure
from troth.vault.tables import Row


class Destroying:
    """Finds what an erasure destroys in the key tree, and destroys it. Idempotent."""

    def __init__(self, ground: Ground, disposal: Disposal) -> None:
        self._ground = ground
        self._disposal = disposal

    def alone(self, erasure: Erasure, rows: Sequence[Row]) -> Destruction | None:
        """The proof for one erasure; None when every key still serves others."""
        if erasure.scope not in (ledger.SUBJECT, ledger.TENANT):
            return self._disposal.destroy({row.unit for row in rows})
        tree = self._ground.tree
        destruction = tree.seal(tree.revoke_all(self._scopes(erasure, rows)))
        self._mark(erasure, rows)
        return destruction

    def together(self, erasures: Sequence[tuple[Erasure, Sequence[Row]]]) -> None:
        """Destroy the keys of all with one root. Raises `Unavailable`; what each destroyed, `alone` then tells."""
        whole = [(one, rows) for one, rows in erasures if one.scope in (ledger.SUBJECT, ledger.TENANT)]
        units = {row.unit for one, rows in erasures if (one, rows) not in whole for row in rows}
        scopes = [scope for one, rows in whole for scope in self._scopes(one, rows)]
        if idle := self._idle(units):
            scopes.append(_of_units(idle))
        if scopes:
            self._ground.tree.seal(self._ground.tree.revoke_all(scopes))

    def _scopes(self, erasure: Erasure, rows: Sequence[Row]) -> list[Scope]:
        """A tenant, or a person and what concerns them without lying under them: shared, or derived by others."""
        if erasure.scope == ledger.TENANT:
            return [Scope.of_tenant(erasure.tenant)]
        scopes = [Scope.of_subject(erasure.tenant, erasure.subject or "")]
        idle = self._idle({row.unit for row in rows if _elsewhere(erasure, row)})
        return [*scopes, _of_units(idle)] if idle else scopes

    def _idle(self, units: set[str]) -> list[str]:
        with self._ground.database.read() as connection:
            return endings.idle(connection, units, today(self._ground.now()))

    def _mark(self, erasure: Erasure, rows: Sequence[Row]) -> None:
        others = {row.unit for row in rows if _elsewhere(erasure, row)} if erasure.scope == ledger.SUBJECT else set()
        gone = {row.unit for row in rows} - others
        with self._ground.database.write() as connection:
            endings.mark_units(connection, gone | set(endings.idle(connection, others, today(self._ground.now()))))


def _elsewhere(erasure: Erasure, row: Row) -> bool:
    return row.shared or row.subject != erasure.subject_digest


def _of_units(units: Sequence[str]) -> Scope:
    return Scope.of_units([bytes.fromhex(unit) for unit in units])
