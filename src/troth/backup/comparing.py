"""Comparing what a restore brings with the living ledger: nothing that lives today may be missing, nobody forgotten.

Probing tries what the restored rows list; what they no longer list is seen only from outside them, here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select

from troth.backup.manifest import OBJECTS
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM
from troth.keys.lifecycle import ENDED
from troth.storage.database import Database, metadata
from troth.vault.ground import subject_digest, tenant_digest

_STANDING = ("live", "closed")
_ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Compared:
    """Counts. `kept` of `expected` objects that stand in the living ledger and are in the backup stand in the restored
    one too; `forgotten` people were forgotten, `erased` of them by the living ledger."""

    kept: int
    expected: int
    forgotten: int
    erased: int

    def counts(self) -> dict[str, int]:
        """As facts of an entry."""
        return {name: getattr(self, name) for name in self.__slots__}


def compared(
    living: Database, restored: Database, parts: Collection[str], people: Iterable[tuple[str, str]]
) -> Compared:
    """Compare; `parts` names what the backup holds, `people` are the forgotten (tenant, subject).

    Raises `IntegrityError` (live-unreadable) for an object that got lost or a person forgotten without an erasure.
    The living ledger is read last, so what is erased meanwhile is no loss.
    """
    there = _standing(restored)
    expected = {blob for blob in _standing(living) if f"{OBJECTS}/{blob}" in parts}
    forgotten = set(people)
    found = Compared(len(expected & there), len(expected), len(forgotten), len(forgotten & _erased(living, forgotten)))
    if found.kept < found.expected or found.erased < found.forgotten:
        raise IntegrityError(
            "The restored installation lacks people or objects that the living ledger has and nobody erased; it does "
            "not go live. Use another backup, and report this.",
            code="live-unreadable",
        )
    return found


def _standing(database: Database) -> set[str]:
    objects = metadata.tables["vault_object"]
    query = select(objects.c.blob).where(objects.c.blob.is_not(None), objects.c.state.in_(_STANDING))
    with database.read(SYSTEM) as connection:
        return {str(blob) for blob in connection.scalars(query)}


def _erased(living: Database, people: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those whom the living ledger calls erased, alone or with their tenant, or whose account's keys all ended."""
    subjects, unit = metadata.tables["vault_subject"], metadata.tables["unit"]
    accounts = select(unit.c.tenant, unit.c.subject, unit.c.state).where(unit.c.period == "account")
    ended: dict[tuple[str, str], bool] = {}
    with living.read(SYSTEM) as connection:
        closed = set(connection.scalars(select(subjects.c.digest).where(subjects.c.state == _ERASED)))
        for tenant, subject, state in connection.execute(accounts):
            ended[tenant, subject] = ended.get((tenant, subject), True) and state in ENDED
    return {
        (tenant, subject)
        for tenant, subject in people
        if closed & {subject_digest(tenant, subject), tenant_digest(tenant)} or ended.get((tenant, subject))
    }
