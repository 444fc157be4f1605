from __future__ import annotations

from troth.audit.cosigned_notes import CosignedNote, find, keep, replace
from troth.storage.database import Database


def test_the_newest_stays(database: Database) -> None:
    first, second = CosignedNote(5, b"five", 1), CosignedNote(7, b"seven", 2)
    with database.write() as connection:
        assert find(connection, "operator") is None
        for one in (first, second, first):
            keep(connection, "operator", one)
        assert find(connection, "operator") == second
        assert find(connection, "meta") is None


def test_the_same_size_is_replaced_by_the_later(database: Database) -> None:
    with database.write() as connection:
        keep(connection, "operator", CosignedNote(5, b"one line", 1))
        keep(connection, "operator", CosignedNote(5, b"two lines", 2))
        assert find(connection, "operator") == CosignedNote(5, b"two lines", 2)


def test_many_are_replaced_at_once(database: Database) -> None:
    with database.write() as connection:
        replace(connection, [])
        replace(connection, [("a", CosignedNote(5, b"a5", 1)), ("b", CosignedNote(6, b"b6", 1))])
        replace(connection, [("a", CosignedNote(7, b"a7", 2))])
        assert find(connection, "a") == CosignedNote(7, b"a7", 2)
        assert find(connection, "b") == CosignedNote(6, b"b6", 1)
