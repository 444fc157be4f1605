"""Inserts that are compiled once and run by the driver: building and compiling costs more than the insert itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert


class PreparedInsert:
    """Inserts rows with the same columns into one table. Values go to the driver as they are: str, int, bytes, None."""

    def __init__(self, table: Table, *columns: str) -> None:
        self._statement = insert(table)
        self._columns = columns
        self._compiled: dict[str, tuple[str, tuple[str, ...]]] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert `rows`, at least one. Raises what the driver raises, wrapped as `Connection.execute` does."""
        dialect = connection.dialect
        text, places = self._compiled.get(dialect.name) or self._compile(dialect)
        if places:
            connection.exec_driver_sql(text, [tuple([row[name] for name in places]) for row in rows])
        else:
            connection.exec_driver_sql(text, [dict(row) for row in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
        compiled = self._statement.compile(dialect=dialect, column_keys=list(self._columns))
        found = self._compiled[dialect.name] = str(compiled), tuple(compiled.positiontup or ())
        return found
