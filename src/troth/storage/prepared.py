"""Statements that are compiled once and run by the driver: building and compiling costs more than running them."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Table, Update, insert
from sqlalchemy.exc import DBAPIError

from troth.kernel.errors import Unavailable

_KEPT = 4  # reading connections that wait for their next use
# Text, the names of its values in order (unless they are named in the text), and those that stand in the statement.
_Compiled = tuple[str, tuple[str, ...], dict[str, Any]]


class PreparedChange:
    """An insert, update or delete whose every value has a name. Values go to the driver as they are: str, int, bytes.

    `columns` names the values of an insert; those of other statements are their `bindparam`s.
    """

    def __init__(self, statement: Insert | Update | Delete, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of `rows`, at least one; how many rows it touched. Raises as `Connection.execute` does."""
        dialect = connection.dialect
        text, places, _ = self._compiled.get(dialect.name) or self._compile(dialect)
        if places:
            return _driven(connection, text, [tuple([row[name] for name in places]) for row in rows]).rowcount
        return connection.exec_driver_sql(text, [dict(row) for row in rows]).rowcount

    def _compile(self, dialect: Dialect) -> _Compiled:
        found = self._compiled[dialect.name] = _compiled(self._statement, dialect, self._columns)
        return found


class PreparedInsert(PreparedChange):
    """Inserts rows with the same columns into one table."""

    def __init__(self, table: Table, *columns: str) -> None:
        super().__init__(insert(table), columns)


class PreparedSelect:
    """A query whose every value has a name (`bindparam`). Columns come as the driver gives them: int, str, bytes."""

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        self._compiled: _Compiled | None = None

    def for_sqlite(self, dialect: Dialect, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Its text, and the values in their order."""
        if self._compiled is None:
            self._compiled = _compiled(self.statement, dialect, ())
        text, places, literals = self._compiled
        return text, [values[name] if name in values else literals[name] for name in places]

    def within(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """All rows, each a sequence, in the caller's transaction. Raises as `Connection.execute` does."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self.statement, values).all()
        text, places = self.for_sqlite(connection.dialect, values)
        return _driven(connection, text, [places]).fetchall()


class Readers:
    """Reading connections to one SQLite file, without what SQLAlchemy adds to each query."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._idle: deque[sqlite3.Connection] = deque()

    def rows(self, text: str, values: Sequence[Any]) -> list[Any]:
        """All rows of a query, as of one moment. Raises `Unavailable` when the file cannot be read."""
        connection = self._free() or self._opened()
        try:
            found = connection.execute(text, values).fetchall()
        except sqlite3.Error as error:
            connection.close()
            raise _unreadable() from error
        self._idle.append(connection)
        if len(self._idle) > _KEPT and (surplus := self._free()):
            surplus.close()
        return found

    def close(self) -> None:
        """Give every waiting connection back; a later query opens another."""
        while connection := self._free():
            connection.close()

    def _free(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.Error as error:
            raise _unreadable() from error


def _driven(connection: Connection, text: str, rows: Sequence[Sequence[Any]]) -> sqlite3.Cursor:
    """A statement for SQLite's driver, once for each of `rows`, in the transaction that the connection is in."""
    if not connection.in_transaction():  # the library notes that one begins, so that it can be committed
        connection.begin()
    driver: Any = connection.connection.dbapi_connection
    try:
        return driver.execute(text, rows[0]) if len(rows) == 1 else driver.executemany(text, rows)  # type: ignore[no-any-return]
    except sqlite3.Error as error:
        raise DBAPIError.instance(text, rows[0], error, sqlite3.Error, dialect=connection.dialect) from error


def _compiled(statement: Any, dialect: Dialect, columns: Sequence[str]) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
    literals = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), tuple(compiled.positiontup or ()), literals


def _unreadable() -> Unavailable:
    return Unavailable("The database cannot be reached; try again, and tell the operator if it stays so.")
