"""Objects under compromised units: opened once more, sealed under fresh units, the old bytes deleted.

New bytes first, under a name that was never used; the row second, in one transaction; the old bytes last. A crash in
between leaves bytes without a row, which `retention` sweeps, or an object that the next run finds where it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from sqlalchemy import Connection, select, update

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, NotFound
from troth.kernel.uses import SERVICE
from troth.keys.tree import UnitKey, Use
from troth.keys.units import ACCOUNT_PERIOD
from troth.vault import endings, framing
from troth.vault.facts import open_facts, seal_facts
from troth.vault.ground import Ground
from troth.vault.keeping import blob_name
from troth.vault.object_info import facts_of
from troth.vault.store import CLOSED, LIVE, OWNER, SHOWN, Row, concerned
from troth.vault.tables import objects

_STANDS = objects.c.state.in_((LIVE, CLOSED))  # what is on its way out goes with its key


class VaultReencrypter:
    """Implements `kernel.reencryption.Reencrypter` for the vault."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def covers(self, data_class: str, period: str) -> bool:
        """True for all but account units, which seal fields of other rooms too."""
        return (data_class, period) != (DataClass.ACCOUNT.value, ACCOUNT_PERIOD)

    def beside(self, tenant: str, subject: str) -> Sequence[bytes]:
        """Units of shared objects that the person owns or is shown in."""
        mine = objects.c.id.in_(concerned(tenant, subject, (OWNER, SHOWN)))
        with self._ground.database.read() as connection:
            found = connection.execute(select(objects.c.unit).where(mine, _STANDS).distinct()).scalars()
            return [bytes.fromhex(unit) for unit in found]

    def reencrypt(self, tenant: str, subject: str, unit: bytes) -> int:
        """Move every object that stands under the unit; how many.

        Raises `IntegrityError` for bytes that are damaged or missing, `Unavailable` when keys, blobs or database are.
        """
        del subject  # a shared object has another
        here = (objects.c.unit == unit.hex()) & (objects.c.tenant == tenant) & _STANDS
        with self._ground.database.read() as connection:
            rows = endings.matching(connection, here)
        if not rows:
            return 0
        old = self._ground.tree.key(unit, Use.REENCRYPTION)
        return sum(self._moved(row, old) for row in rows)

    def _moved(self, row: Row, old: UnitKey) -> bool:
        """False when the row changed meanwhile: the next look finds it, or it is gone."""
        ground, facts = self._ground, facts_of(row)
        secret = open_facts(row.facts or b"", facts, old)
        try:
            content = ground.opened(ground.blobs.get(row.blob or ""), facts, old, SERVICE)
        except NotFound as error:
            return self._gone(row, error)
        with ExitStack() as undo:
            fresh = ground.tree.successor(old.id)
            if row.period is None:
                undo.callback(ground.tree.destroy_units, [fresh.id])
            blob = f"{blob_name(row.id)}.{secrets.token_hex(8)}"
            ground.blobs.create(blob, framing.seal(facts, fresh, content))
            undo.callback(ground.blobs.delete, blob)
            moved = replace(row, unit=fresh.id.hex(), blob=blob, facts=seal_facts(secret, facts, fresh))
            if not ground.database.apply(lambda connection: self._switched(connection, row, moved)):
                return False
            undo.pop_all()
        ground.blobs.delete(row.blob or "")
        return True

    def _switched(self, connection: Connection, row: Row, moved: Row) -> bool:
        self._ground.tree.lock_protecting(connection, bytes.fromhex(moved.unit))
        same = (getattr(objects.c, name) == getattr(row, name) for name in ("id", "unit", "blob", "facts"))
        values = {name: getattr(moved, name) for name in ("unit", "blob", "facts")}
        return connection.execute(update(objects).where(*same, _STANDS).values(**values)).rowcount == 1

    def _gone(self, row: Row, error: NotFound) -> bool:
        with self._ground.database.read() as connection:
            if endings.matching(connection, (objects.c.id == row.id) & (objects.c.blob == row.blob) & _STANDS):
                raise IntegrityError("The bytes of a kept object are missing.", code="blob-missing") from error
        return False
