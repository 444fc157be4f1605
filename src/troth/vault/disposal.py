"""The way out of the vault: mark, destroy keys, delete bytes. Deletion, retention and erasure all walk it.

Each step is idempotent and leaves durable state, so whoever comes next (a retry, the sweep, a restart) goes on from
there: a row is `live`, then `dropping` (nobody can open it), then `erased` (keys destroyed, bytes deleted).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from troth.keys.tree import Destruction
from troth.vault import endings
from troth.vault.ground import Ground
from troth.vault.store import Row


class Disposal:
    """Ends objects that are already marked."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def finish(self, rows: Sequence[Row]) -> Destruction | None:
        """Destroy the units that nothing else uses, then delete the bytes. None when every unit is still in use."""
        destruction = self.destroy({row.unit for row in rows if not row.unit_destroyed})
        self.discard(rows)
        return destruction

    def destroy(self, units: set[str], *, ended: bool = False) -> Destruction | None:
        """Destroy those of the units (hex) that are idle. Idempotent. `ended`: for the rest of earlier erasures."""
        with self._ground.database.read() as connection:
            idle = endings.idle(connection, units, today(self._ground.now()))
        if not idle:
            return None
        destruction = self._ground.tree.destroy_units([bytes.fromhex(unit) for unit in idle])
        with self._ground.database.write() as connection:
            endings.mark_units(connection, idle, ended=ended)
        return destruction

    def discard(self, rows: Sequence[Row]) -> int:
        """Delete the ciphertext and what is left of the rows; returns how many blobs were there."""
        count = self._ground.blobs.delete_all(row.blob for row in rows if row.blob)
        with self._ground.database.write() as connection:
            endings.finish(connection, [row.id for row in rows], self._ground.now())
        return count

    def resume(self, limit: int = 1000) -> int:
        """Finish what a crash left half-way; returns how many objects."""
        with self._ground.database.read() as connection:
            rows = endings.dropping(connection, limit)
        if rows:
            self.finish(rows)
        return len(rows)


def today(now: int) -> str:
    """The UTC date of a moment; shared units are named by the date their objects expire."""
    return datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
