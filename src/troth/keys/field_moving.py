"""Sealed fields and a compromised account unit: every column that holds such fields, declared as data, moves over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, select, update

from troth.kernel.data_class import DataClass
from troth.keys.fields import SealedFields, unit_of
from troth.keys.tree import KeyTree
from troth.keys.units import ACCOUNT_PERIOD, Owner, Scope
from troth.storage.database import Database

Whose = Callable[[str, str], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of fields under one label. `whose(tenant, subject)`: the rows whose fields are sealed for them."""

    table: Table
    column: str
    label: str
    whose: Whose


class FieldReencrypter:
    """Implements `kernel.reencryption.Reencrypter` for account units, of which fields are sealed."""

    def __init__(
        self, tree: KeyTree, fields: SealedFields, database: Database, columns: Sequence[SealedColumn]
    ) -> None:
        self._tree = tree
        self._fields = fields
        self._database = database
        self._columns = columns

    def covers(self, data_class: str, period: str) -> bool:
        """True for account units; what the vault keeps under them, the vault moves."""
        return (data_class, period) == (DataClass.ACCOUNT.value, ACCOUNT_PERIOD)

    def beside(self, tenant: str, subject: str) -> Sequence[bytes]:
        """None: a field lies under its person."""
        del tenant, subject
        return ()

    def reencrypt(self, tenant: str, subject: str, unit: bytes) -> int:
        """Seal this unit's fields under the account unit of today. Raises `IntegrityError` for one that was changed."""
        rows = self._tree.units_in(Scope.of_units([unit]))
        if not any(self.covers(row.data_class, row.period) for row in rows):
            return 0
        return sum(self._moved(one, (tenant, subject), unit) for one in self._columns)

    def _moved(self, one: SealedColumn, owner: Owner, unit: bytes) -> int:
        keys, content = list(one.table.primary_key.columns), one.table.c[one.column]
        query = select(content, *keys).where(one.whose(*owner), content.is_not(None))
        with self._database.read() as connection:
            found = [(bytes(row[0]), tuple(row[1:])) for row in connection.execute(query)]
        mine = [(sealed, key) for sealed, key in found if unit_of(sealed) == unit]
        if not mine:
            return 0
        fresh = self._tree.successor(unit)
        sealed_anew = [(self._fields.moved(owner, one.label, sealed, fresh), sealed, key) for sealed, key in mine]
        count = 0
        with self._database.write() as connection:
            for new, old, key in sealed_anew:  # what somebody changed meanwhile is theirs, and under the fresh unit
                here = [column == value for column, value in zip(keys, key, strict=True)]
                change = update(one.table).where(*here, content == old).values({one.column: new})
                count += connection.execute(change).rowcount
        return count
