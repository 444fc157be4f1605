"""Rows out of one moment of a database and into another, on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from database_world import DATABASES, opened
from troth.backup import rows
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from troth.vault.store import subjects


def _subject(at: int) -> dict[str, Any]:
    return {"digest": f"{at:064x}", "state": "live"}


def _taken(database: Database) -> list[rows.Piece]:
    with rows.snapshot(database) as connection:
        return list(rows.pieces(connection))


def _content(database: Database) -> dict[str, list[Any]]:
    with database.read(SYSTEM) as connection:
        found = {}
        for table in rows.tables():
            ordered = select(table).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in connection.execute(ordered)]
    return found


@pytest.mark.parametrize("source", DATABASES)
@pytest.mark.parametrize("target", DATABASES)
def test_what_is_taken_out_is_put_in(source: str, target: str, tmp_path: Path) -> None:
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    with opened(source, tmp_path / "from") as one, opened(target, tmp_path / "to") as other:
        with one.write(SYSTEM) as connection:
            connection.execute(insert(subjects), [_subject(at) for at in range(3000)])
        pieces = _taken(one)
        with other.write(SYSTEM) as connection:
            for piece in pieces:
                rows.put(connection, piece.table, piece.content)
            rows.number_on(connection)
        assert _content(other) == _content(one)
        assert len([piece for piece in pieces if piece.table == "vault_subject"]) > 3


@pytest.mark.parametrize("kind", DATABASES)
def test_a_snapshot_does_not_see_what_comes_later(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as database:
        with rows.snapshot(database) as connection:
            with database.write(SYSTEM) as writing:
                writing.execute(insert(subjects), {"digest": "d", "state": "live"})
            assert connection.scalar(select(func.count()).select_from(subjects)) == 0
        with database.read(SYSTEM) as connection:
            assert connection.scalar(select(func.count()).select_from(subjects)) == 1


def test_one_more_row_makes_few_new_pieces(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path) as database:
        with database.write(SYSTEM) as connection:
            connection.execute(insert(subjects), [_subject(2 * at) for at in range(5000)])
        before = {piece.content for piece in _taken(database)}
        with database.write(SYSTEM) as connection:
            connection.execute(insert(subjects), _subject(5001))
        after = [piece.content for piece in _taken(database)]
    assert len(after) > 10
    assert sum(content not in before for content in after) <= 2


def test_rows_of_another_table_or_schema_are_refused(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path) as database:
        piece = next(one for one in _taken(database) if one.table == "vault_subject")
        with database.write(SYSTEM) as connection:
            for table, content in (
                ("users", piece.content),
                ("audit_logs", piece.content),
                ("vault_subject", b"{}"),
                ("vault_subject", b"\xff"),
                ("vault_subject", piece.content.replace(b'"state"', b'"phase"')),
            ):
                with pytest.raises(IntegrityError):
                    rows.put(connection, table, content)
