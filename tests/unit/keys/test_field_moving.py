"""Sealed fields under a compromised account unit: moved once, and what somebody changed meanwhile is left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert, select, update

from database_world import APPLICATION, owned
from key_world import World
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, IntegrityError
from troth.keys.field_moving import FieldReencrypter, SealedColumn
from troth.keys.fields import SealedFields, unit_of
from troth.keys.tree import UnitKey
from troth.keys.units import ACCOUNT_PERIOD
from troth.storage.isolation import grant

OWNER = ("ten_a", "usr_a")
notes = Table("notes", MetaData(), Column("person", String(64), primary_key=True), Column("text", LargeBinary))
COLUMN = SealedColumn(notes, "text", "note", lambda _tenant, subject: notes.c.person == subject)


class Notes:
    """A table of sealed notes, one a person."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fields = SealedFields(world.tree, b"i" * 32)
        self.mover = FieldReencrypter(world.tree, self.fields, world.database, [COLUMN])
        with owned(world.database) as connection:
            notes.create(connection)
            if connection.dialect.name == "postgresql":
                grant(connection, APPLICATION)

    def put(self, sealed: bytes, person: str = OWNER[1]) -> None:
        with self.world.database.write() as connection:
            if not connection.execute(update(notes).where(notes.c.person == person).values(text=sealed)).rowcount:
                connection.execute(insert(notes).values(person=person, text=sealed))

    def sealed(self) -> bytes:
        with self.world.database.read() as connection:
            return bytes(connection.execute(select(notes.c.text).where(notes.c.person == OWNER[1])).scalar_one())

    def compromised(self) -> bytes:
        """The account unit, marked."""
        unit = self.world.tree.unit(*OWNER, DataClass.ACCOUNT, ACCOUNT_PERIOD).id
        self.world.tree.mark_compromised([unit], "memory-image")
        return unit


@pytest.fixture
def book(world: World) -> Iterator[Notes]:
    made = Notes(world)
    made.put(made.fields.seal(*OWNER, "note", b"hers"))
    yield made
    with owned(world.database) as connection:
        notes.drop(connection)


def test_a_field_moves_once_and_opens_as_before(book: Notes) -> None:
    unit = book.compromised()
    with pytest.raises(Conflict):
        book.fields.open(*OWNER, "note", book.sealed())
    assert [book.mover.reencrypt(*OWNER, unit) for _ in range(2)] == [1, 0]
    assert unit_of(book.sealed()) != unit
    assert book.fields.open(*OWNER, "note", book.sealed()) == b"hers"


def test_a_value_that_was_changed_meanwhile_stays(book: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    unit, moved = book.compromised(), book.fields.moved

    def changed_first(owner: tuple[str, str], label: str, sealed: bytes, fresh: UnitKey) -> bytes:
        book.put(book.fields.seal(*OWNER, "note", b"newer"))
        return moved(owner, label, sealed, fresh)

    monkeypatch.setattr(book.fields, "moved", changed_first)
    assert book.mover.reencrypt(*OWNER, unit) == 0
    assert book.fields.open(*OWNER, "note", book.sealed()) == b"newer"


def test_a_field_that_was_tampered_with_stops_it(book: Notes) -> None:
    sealed = book.sealed()
    book.put(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    unit = book.compromised()
    with pytest.raises(IntegrityError):
        book.mover.reencrypt(*OWNER, unit)


def test_units_of_other_kinds_are_none_of_its_business(book: Notes) -> None:
    (own,) = book.world.own(*OWNER)
    book.world.tree.mark_compromised([own.key.id], "memory-image")
    assert book.mover.reencrypt(*OWNER, own.key.id) == 0
    assert not book.mover.covers("user-generated", "")
    assert book.mover.covers("account", ACCOUNT_PERIOD)
