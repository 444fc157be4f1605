"""The database as rows: copied from one consistent snapshot, cut where the content says, put into an empty schema.

The same on SQLite and PostgreSQL, so a backup of one can be restored into the other. Pieces end at rows whose key
hashes to zero, so a row that is added or changed makes one new piece, not a shift of all that follow.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, text

from troth.backup.manifest import as_json
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database, metadata

# Not copied. The log comes from its own entries and what waits for it is in them, runs of checks come from the log
# (`promises.rebuilding`); sign-ins and claims are over by then; what is counted and scrubbed begins anew. Prints of
# pictures would outlive their pictures in old backups.
LEFT_OUT = frozenset(
    """audit_entries audit_logs audit_tiles outbox certified_sessions request_claim
    sessions sign_in_attempts check_run check_head check_day vault_orphan
    passkey_challenges spent_proofs sso_attempts sso_seen sso_sessions use_counter reconciled_place reconciliation
    oauth_access_tokens oauth_device_codes oauth_refresh_tokens oauth_seen scrub_round
    scrub_finding vault_print alembic_version""".split()
)
_MEAN, _MOST = 256, 2048  # rows in a piece
_MOST_BYTES = 4 << 20
_BYTES = "~"  # member that marks bytes in JSON


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of one table, ready to be sealed."""

    table: str
    rows: int
    content: bytes = field(repr=False)


def tables() -> list[Table]:
    """Every table that is copied, parents first."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A connection that sees one moment, whatever is written meanwhile."""
    with database.read(SYSTEM) as connection:
        if database.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").one()  # the first read fixes the moment
        else:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            connection.execute(text("SELECT 1")).one()  # likewise
        try:
            yield connection
        finally:
            if database.dialect == "sqlite":
                connection.exec_driver_sql("ROLLBACK")


def pieces(connection: Connection) -> Iterator[Piece]:
    """All rows of all tables; a table without rows gives one empty piece."""
    for table in tables():
        yield from pieces_of(connection, table)


def pieces_of(connection: Connection, table: Table, which: ColumnElement[bool] | None = None) -> Iterator[Piece]:
    """The rows of one table, or `which` of them; one empty piece when there are none."""
    keys = list(table.primary_key.columns or table.columns)
    places = [list(table.columns).index(key) for key in keys]
    wanted = select(table) if which is None else select(table).where(which)
    found = connection.execution_options(yield_per=_MOST).execute(wanted.order_by(*keys))
    waiting: list[list[Any]] = []
    size, any_piece = 0, False
    for row in found:
        values = [_plain(value) for value in row]
        waiting.append(values)
        size += sum(len(value) if isinstance(value, str) else 32 for value in values)
        if len(waiting) == _MOST or size > _MOST_BYTES or _ends([row[at] for at in places]):
            yield _piece(table, waiting)
            waiting, size, any_piece = [], 0, True
    if waiting or not any_piece:
        yield _piece(table, waiting)


def put(connection: Connection, table_name: str, content: bytes) -> int:
    """Insert the rows of a piece; how many. Raises `IntegrityError` when it is of another table or schema."""
    table, found = read(content)
    if table.name != table_name:
        raise _schema()
    if found:
        connection.execute(insert(table), found)
    return len(found)


def read(content: bytes) -> tuple[Table, list[dict[str, Any]]]:
    """The table and the rows of a piece. Raises `IntegrityError` for a table of another schema, and for no piece."""
    try:
        piece = json.loads(content)
        table = next((one for one in tables() if one.name == piece["table"]), None)
        if table is None or set(piece["columns"]) != set(table.columns.keys()):
            raise _schema()
        return table, [dict(zip(piece["columns"], map(_typed, row), strict=True)) for row in piece["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError("Rows in the backup cannot be read.", code="backup-rows") from error


def clear(connection: Connection) -> None:
    """Delete every copied row of a database that is being restored, such as defaults of its schema."""
    for table in reversed(tables()):
        connection.execute(table.delete())


def number_on(connection: Connection) -> None:
    """PostgreSQL: new rows are numbered after the restored ones."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        column = table.autoincrement_column
        if column is None:
            continue
        names = {"table": table.name, "column": column.name}
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), names)
        if sequence:
            highest = connection.scalar(select(func.coalesce(func.max(column), 0)))
            drawn = select(func.nextval(sequence)).select_from(func.generate_series(1, int(highest or 0)))
            connection.execute(drawn).all()  # setting it is the owner's right, drawing is ours


def _schema() -> IntegrityError:
    return IntegrityError("The backup holds a table of another schema; use its version.", code="backup-schema")


def _ends(key: Sequence[Any]) -> bool:
    return zlib.crc32(repr(key).encode()) % _MEAN == 0


def _piece(table: Table, rows: list[list[Any]]) -> Piece:
    content = {"table": table.name, "columns": table.columns.keys(), "rows": rows}
    return Piece(table.name, len(rows), as_json(content))


def _plain(value: Any) -> Any:
    return {_BYTES: base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _typed(value: Any) -> Any:
    return base64.b64decode(value[_BYTES]) if isinstance(value, dict) else value
