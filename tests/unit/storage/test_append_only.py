"""PostgreSQL refuses the role that serves whatever would change the log; functions and triggers keep their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, make_url, text
from sqlalchemy.exc import ProgrammingError

import troth.wiring
from database_world import DATABASES, SERVER, Place, fresh_place, migrated, owned
from troth.audit import store
from troth.audit.merkle import HASH_BYTES
from troth.kernel.clock import SystemClock, epoch_ms
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.storage.append_only import FLOOR_DAYS, is_bounded, make_free
from troth.storage.database import Database
from troth.storage.isolation import settle

assert troth.wiring  # every table is declared
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("kind", [k for k in DATABASES if k != "sqlite"], scope="module"),
]
_BLANK = {"request": "r", "actor": "a", "operation": "x.y", "outcome": "done", "time": 1}


@pytest.fixture
def place(kind: str, tmp_path: Path) -> Iterator[Place]:
    with fresh_place(kind, tmp_path) as place:
        yield place


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    with filled(place) as database:
        yield database


@pytest.fixture(scope="module")
def untouched(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all statements that are refused, for making one takes two seconds."""
    with fresh_place(kind, tmp_path_factory.mktemp("untouched")) as place, filled(place) as database:
        yield database


@contextmanager
def filled(place: Place) -> Iterator[Database]:
    """A log of 300 entries, of which 256 are signed and 10 are below the minimum."""
    database = migrated(place)
    database.owner_url = place.owner  # type: ignore[attr-defined]
    with within(SYSTEM), database.write() as connection:
        number = store.create(connection, "operator", b"r" * 32)
        rows = [{"number": number, "position": at, "leaf": b"{}", "subject": None, **_BLANK} for at in range(300)]
        rows[250]["time"] = epoch_ms(SystemClock().now()) - (FLOOR_DAYS - 1) * 86_400_000
        store.add_entries(connection, rows)
        store.add_tiles(
            connection, [{"number": number, "level": 0, "tile": n, "hashes": hashes(n)} for n in (0, 1)], []
        )
        store.advance(connection, number, 0, 300, b"s" * 32)
        store.set_checkpoint(connection, number, b"note", 256, 1)
        store.set_first(connection, number, 10)
    try:
        yield database
    finally:
        database.close()


def hashes(tile: int, width: int | None = None) -> bytes:
    """What stands in the tile of 256 hashes, and in that of 44."""
    return bytes([tile + 1]) * HASH_BYTES * ((256, 44)[tile] if width is None else width)


def refused(database: Database, statement: str) -> bool:
    """The role's own SQL, as somebody with its password would send it."""
    try:
        with database.write(SYSTEM) as connection:
            connection.execute(text(statement))
    except ProgrammingError as error:
        return "permission denied" in str(error) or "stay" in str(error)
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET leaf = ''",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_tiles",
        "UPDATE audit_tiles SET tile = 7",
        "TRUNCATE audit_tiles",
        "DELETE FROM audit_logs",
        "UPDATE audit_logs SET log = 'x'",
        "TRUNCATE audit_logs CASCADE",
        "SELECT troth_log_drop(1, 0, 11)",
        "SELECT troth_log_cut(1, 255, '')",
        "SELECT troth_log_cut(1, 301, '')",
        "UPDATE audit_logs SET signed_size = 255",
        "UPDATE audit_logs SET signed_size = 301",
        "UPDATE audit_logs SET size = 299",
        "UPDATE audit_logs SET size = 301, signed_size = 302",
        "UPDATE audit_logs SET root = ''",
        "UPDATE audit_logs SET checkpoint = NULL",
        "UPDATE audit_logs SET first = 11",
        "UPDATE audit_logs SET first = 9",
        "SELECT troth_log_first(1, 257)",
        "SELECT troth_log_first(1, 256)",
        "SELECT troth_log_first(99, 1)",
        "INSERT INTO audit_logs (number, log, size, root, signed_size, first) VALUES (7, 'x', 0, '', 0, 9)",
        "INSERT INTO audit_logs (number, log, size, root, signed_size) VALUES (7, 'x', 9, '', 9)",
        "UPDATE audit_tiles SET hashes = decode(repeat('07', 8192), 'hex') WHERE tile = 0",
        "UPDATE audit_tiles SET hashes = hashes || hashes WHERE tile = 0",
        "UPDATE audit_tiles SET hashes = decode(repeat('07', 8192), 'hex') WHERE tile = 1",
        "UPDATE audit_tiles SET hashes = substring(hashes FROM 1 FOR 32) WHERE tile = 1",
        "SELECT troth_log_drop(99, 0, 1)",
        "SELECT troth_log_clear()",
    ],
)
def test_what_would_change_the_log_is_refused(untouched: Database, statement: str) -> None:
    assert refused(untouched, statement)
    with untouched.read(SYSTEM) as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_entries")).scalar_one() == 300


def test_what_the_log_needs_is_permitted(database: Database) -> None:
    with within(SYSTEM), database.write() as connection:
        assert store.drop_entries(connection, 1, 0, 10) == 10
        store.set_first(connection, 1, 250)
        store.add_tiles(connection, [], [{"number": 1, "level": 0, "tile": 1, "hashes": hashes(1, 45)}])
        store.cut(connection, 1, 258, b"t" * 32)
        count = connection.execute(text("SELECT count(*), max(position) FROM audit_entries")).one()
        tiles = [store.read_tile(connection, 1, 0, tile) for tile in (0, 1)]
        head = store.head(connection, "operator")
        store.cut(connection, 1, 256, b"u" * 32)
        with pytest.raises(IntegrityError):
            store.read_tile(connection, 1, 0, 1)
    assert tuple(count) == (248, 257)
    assert tiles == [hashes(0), hashes(1, 2)]
    assert (head.first, head.size, head.root) == (250, 258, b"t" * 32)


def test_a_superuser_who_settles_leaves_functions_to_the_owner(place: Place, database: Database) -> None:
    superuser = make_url(str(SERVER))
    url = make_url(place.owner).set(username=superuser.username, password=superuser.password)
    with owned(database) as connection:
        make_free(connection)
    for owner in (url.render_as_string(hide_password=False), place.owner):  # and the owner can go on after that
        settle(database, owner_url=owner)
        with database.read(SYSTEM) as connection:
            assert is_bounded(connection)
    assert refused(database, "UPDATE audit_logs SET first = 11")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE audit_logs DISABLE TRIGGER troth_log_head_bounds",
        "DROP TRIGGER troth_log_tile_bounds ON audit_tiles",
        "CREATE OR REPLACE FUNCTION troth_log_head_bounds() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
def test_a_start_refuses_a_log_without_its_bounds(place: Place, database: Database, change: str) -> None:
    with owned(database) as connection:
        connection.execute(text(change))
    with pytest.raises(Unavailable) as refusal:
        settle(database)
    assert refusal.value.code == "log-not-append-only"
    settle(database, owner_url=place.owner)
    settle(database)


def test_the_revision_goes_down_and_up_with_a_log_in_the_database(place: Place, database: Database) -> None:
    with owned(database) as connection:
        config = Config()
        config.set_main_option("script_location", "troth.storage:migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0013")
        assert not is_bounded(connection)
    settle(database, owner_url=place.owner)
    assert refused(database, "UPDATE audit_logs SET signed_size = 1")


def test_a_start_refuses_a_role_that_was_given_the_right_again(place: Place, database: Database) -> None:
    with owned(database) as connection:
        connection.execute(text("GRANT DELETE ON audit_entries TO troth_app"))
    with pytest.raises(Unavailable) as refusal:
        settle(database)
    assert refusal.value.code == "log-not-append-only"
    settle(database, owner_url=place.owner)
    assert refused(database, "DELETE FROM audit_entries")
    with database.write(SYSTEM) as connection:
        connection.execute(insert(store.logs), {"log": "ten_b", "size": 0, "root": b"", "signed_size": 0})
