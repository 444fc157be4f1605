"""Destroying the keys of erasures: of one, or of many with one root.

What lies under a person or a tenant goes first, by one row of the key tree whatever there is of it; what concerns a
person without lying under them goes once it is settled whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_

from troth.keys.tree import Destruction, Scope
from troth.vault import endings, ledger
from troth.vault.disposal import Disposal, today
from troth.vault.ground import Ground
from troth.vault.ledger import Erasure
from troth.vault.tables import objects


class Destroying:
    """Finds what an erasure destroys in the key tree, and destroys it. Idempotent."""

    def __init__(self, ground: Ground, disposal: Disposal) -> None:
        self._ground = ground
        self._disposal = disposal

    def alone(self, erasure: Erasure) -> Destruction | None:
        """The proof for one erasure; None when every key still serves others."""
        if erasure.scope in ledger.WHOLE:
            return self._sealed([_whole(erasure)])
        units = set(self._units(self.taken(erasure)))
        return self._disposal.destroy(units, ended=erasure.scope == ledger.REMAINDER)

    def together(self, erasures: Sequence[Erasure]) -> None:
        """Destroy the keys of all with one root. Raises `Unavailable`; what each destroyed, `alone` then tells."""
        scopes = [_whole(one) for one in erasures if one.scope in ledger.WHOLE]
        others = [one for one in erasures if one.scope not in ledger.WHOLE]
        self._sealed([*scopes, *self._idle({unit for one in others for unit in self._units(self.taken(one))})])

    def rest(self, erasure: Erasure) -> Destruction | None:
        """The proof for a person whose part in shared objects has ended; None when nothing of that was left to do."""
        if erasure.scope not in ledger.WHOLE:
            return None
        digest = erasure.subject_digest if erasure.scope == ledger.SUBJECT else None
        with self._ground.database.write() as connection:
            endings.mark_under(connection, endings.under(erasure.tenant, digest))
        idle = self._idle(self._elsewhere(erasure))
        if not idle:
            return None
        destruction = self._sealed([_whole(erasure), *idle])
        with self._ground.database.write() as connection:
            endings.mark_units(connection, [unit.hex() for scope in idle for unit in scope.units], ended=True)
        return destruction

    def rest_together(self, erasures: Sequence[Erasure]) -> None:
        """The same for many with one root; what each destroyed, `rest` then tells."""
        self._sealed(self._idle({unit for one in erasures for unit in self._elsewhere(one)}))

    def taken(self, erasure: Erasure) -> ColumnElement[bool]:
        """The rows that an erasure is about."""
        if erasure.scope != ledger.REMAINDER:
            return endings.taken_by(erasure.id)
        with self._ground.database.read() as connection:
            return endings.left_under(ledger.result(connection, erasure.id, ledger.TOMBSTONE)["units"])

    def _sealed(self, scopes: Sequence[Scope]) -> Destruction | None:
        tree = self._ground.tree
        return tree.seal(tree.revoke_all(scopes)) if scopes else None

    def _elsewhere(self, erasure: Erasure) -> set[str]:
        """What a person's erasure took that does not lie under them: shared, or derived by others."""
        if erasure.scope != ledger.SUBJECT:
            return set()
        beside = or_(objects.c.shared, objects.c.subject != erasure.subject_digest)
        return set(self._units(and_(endings.taken_by(erasure.id), beside)))

    def _units(self, which: ColumnElement[bool]) -> list[str]:
        with self._ground.database.read() as connection:
            return endings.units_of(connection, which)

    def _idle(self, units: set[str]) -> list[Scope]:
        """One scope of those units that nothing else needs, or none."""
        with self._ground.database.read() as connection:
            idle = endings.idle(connection, units, today(self._ground.now()))
        return [Scope.of_units([bytes.fromhex(unit) for unit in idle])] if idle else []


def _whole(erasure: Erasure) -> Scope:
    if erasure.scope == ledger.TENANT:
        return Scope.of_tenant(erasure.tenant)
    return Scope.of_subject(erasure.tenant, erasure.subject or "")
