"""Who edits a privileged table beside Troth leaves an entry; Troth's own work leaves none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from sqlalchemy import Connection, create_engine, delete, func, insert, make_url, select, text, update

import troth.wiring
from database_world import DATABASES, SERVER, Place, fresh_place, migrated
from troth.identity.store import tenants
from troth.kernel.errors import Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import Database, metadata
from troth.storage.isolation import settle
from troth.storage.migrate import HEAD, current, upgrade
from troth.storage.outbox import outbox, pending
from troth.storage.watching import ORDINARY, PRIVILEGED, unwatched

assert troth.wiring  # every table is declared
_TENANT = {"id": "ten_ann", "name": "Ann Example", "jurisdiction": "eu", "created_at": 1}


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with fresh_place(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    database = migrated(place)
    with database.write(SYSTEM) as connection:
        connection.execute(insert(tenants), _TENANT)
        connection.execute(delete(outbox))
    yield database
    database.close()


def beside(place: Place, *statements: str) -> None:
    """What somebody does with a program of their own: sqlite3, or psql as the owner of the tables."""
    if place.url == place.owner:
        with closing(sqlite3.connect(place.url.removeprefix("sqlite:///"))) as shell, shell:
            for one in statements:
                shell.execute(one)
        return
    engine = create_engine(place.owner)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL troth.system = 'on'"))  # or row-level security shows nothing
        for one in statements:
            connection.execute(text(one))
    engine.dispose()


def told(database: Database) -> list[dict[str, Any]]:
    with database.read(SYSTEM) as connection:
        leaves = [leaf for _, log, leaf in pending(connection, 100) if log == "operator"]
    entries = [json.loads(leaf) for leaf in leaves]
    assert [rfc8785.dumps(entry) for entry in entries] == leaves  # as every leaf is written
    return entries


def test_every_table_is_watched_or_named_as_not() -> None:
    assert set(metadata.tables) - PRIVILEGED.keys() - ORDINARY.keys() == set()
    assert PRIVILEGED.keys() & ORDINARY.keys() == set()
    assert (PRIVILEGED.keys() | ORDINARY.keys()) - set(metadata.tables) == set()
    for name, one in PRIVILEGED.items():
        named = {one.row, *one.columns, *([one.tenant] if one.tenant else [])}
        assert named <= set(metadata.tables[name].columns.keys()), name
        assert (one.tenant == "tenant") == ("tenant" in metadata.tables[name].columns) or name == "tenants", name


def test_edits_of_others_are_told_without_content(place: Place, database: Database) -> None:
    beside(place, "UPDATE tenants SET name = 'Ben Secret'", "DELETE FROM tenants")
    updated, deleted = told(database)
    sqlite = place.url == place.owner
    facts = {"table": "tenants", "row": "ten_ann", "tenant": "ten_ann", "role": "file" if sqlite else "owner"}
    assert updated["facts"] == facts | {"change": "update"}
    assert deleted["facts"] == facts | {"change": "delete"}
    assert (updated["op"], updated["actor"], updated["log"]) == ("database.changed", "database", "operator")
    assert updated["request"] != deleted["request"]
    assert abs(updated["time"] - deleted["time"]) < 60_000
    assert "Secret" not in json.dumps([updated, deleted])


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [kind for kind in DATABASES if kind != "sqlite"])
def test_whose_role_it_was_is_told_and_not_its_name(kind: str, tmp_path: Path) -> None:
    with fresh_place(kind, tmp_path) as place:
        database = migrated(place)
        database.close()
        administrator = make_url(SERVER or "").update_query_dict(dict(make_url(place.owner).query))
        person = 'CREATE ROLE "Ann Example" SUPERUSER; SET SESSION AUTHORIZATION "Ann Example"'
        for url, become, whose in (
            (make_url(place.url), "", "app"),
            (make_url(place.owner), "", "owner"),
            (administrator, person, "other"),
        ):
            engine = create_engine(url)
            with engine.connect() as connection:  # rolled back: roles are the whole server's
                connection.execute(text(f"SET LOCAL troth.system = 'on'; {become}"))
                connection.execute(insert(tenants), _TENANT)
                leaf = bytes(connection.scalars(select(outbox.c.leaf).order_by(outbox.c.seq.desc())).first() or b"")
            engine.dispose()
            assert json.loads(leaf)["facts"]["role"] == whose
            assert b"Ann" not in leaf


def test_a_row_whose_id_is_no_id_is_told_without_it(place: Place, database: Database) -> None:
    beside(place, "INSERT INTO tenants VALUES ('Ann Example', 'x', 'eu', 1)")
    (inserted,) = told(database)
    assert inserted["facts"].keys() == {"change", "role", "table"}


def test_work_of_troth_is_not_told(database: Database) -> None:
    with database.write(SYSTEM) as connection:
        connection.execute(update(tenants).values(name="Ben"))
    with within(SYSTEM):
        database.apply(lambda connection: connection.execute(delete(tenants)))
    with database.write(SYSTEM) as connection:
        connection.execute(insert(tenants), _TENANT)
    assert told(database) == []


def test_what_waits_for_the_log_cannot_be_taken_back_unseen(place: Place, database: Database) -> None:
    beside(place, "UPDATE tenants SET name = 'x'")
    beside(place, "DELETE FROM outbox")
    assert [(one["facts"]["table"], one["facts"]["change"]) for one in told(database)] == [("outbox", "delete")]
    beside(place, "DELETE FROM outbox", "UPDATE outbox SET log = 'x'")
    assert told(database) != []
    if place.url != place.owner:  # on SQLite a made-up entry only stands in the log as what it says
        beside(place, "INSERT INTO outbox (log, leaf) VALUES ('other', '\\x7b7d')")
        assert told(database)[-1]["facts"] == {"change": "insert", "role": "owner", "row": "other", "table": "outbox"}


def test_replacing_a_row_is_told(place: Place, database: Database) -> None:
    if place.url != place.owner:
        beside(place, "TRUNCATE tenants CASCADE")
        assert {"change": "truncate", "role": "owner", "table": "tenants"} in [one["facts"] for one in told(database)]
        return
    beside(place, "REPLACE INTO tenants VALUES ('ten_ann', 'x', 'eu', 1)")
    assert told(database)[0]["facts"]["change"] == "insert"


def _drop(connection: Connection) -> None:
    on = "" if connection.dialect.name == "sqlite" else " ON users"
    connection.execute(text(f"DROP TRIGGER troth_watch_users_update{on}"))


def _weaken(connection: Connection) -> None:
    _drop(connection)
    action = (
        "BEGIN SELECT 1; END"
        if connection.dialect.name == "sqlite"
        else "FOR EACH ROW WHEN (false) EXECUTE FUNCTION troth_watch('id', 'tenant')"
    )
    connection.execute(text(f"CREATE TRIGGER troth_watch_users_update AFTER UPDATE ON users {action}"))
    if connection.dialect.name != "sqlite":
        connection.execute(text("ALTER TABLE users ENABLE ALWAYS TRIGGER troth_watch_users_update"))


@pytest.mark.parametrize("harm", [_drop, _weaken])
def test_a_start_notices_missing_triggers_and_puts_them_back(
    place: Place, database: Database, harm: Callable[[Connection], None]
) -> None:
    owner = Database(place.owner, pool_size=1)
    with owner.write(SYSTEM) as connection:
        assert unwatched(connection) == []
        harm(connection)
        assert unwatched(connection) == ["troth_watch_users_update"]
    owner.close()
    settle(database, owner_url=None if place.owner == place.url else place.owner)
    (alarm,) = told(database)
    assert (alarm["op"], alarm["outcome"], alarm["facts"]) == ("database.unwatched", "failed", {"count": 1})
    with database.read(SYSTEM) as connection:
        assert unwatched(connection) == []


@pytest.mark.parametrize(
    ("harm", "astray"),
    [
        (["DROP VIEW troth_watched"], ["troth_watch_entry", "troth_watched"]),
        (["DROP TRIGGER troth_watch_entry"], ["troth_watch_entry"]),
        (["DROP VIEW troth_watched", "CREATE VIEW troth_watched AS SELECT 1"], ["troth_watch_entry", "troth_watched"]),
    ],
)
def test_what_the_triggers_of_sqlite_share_is_watched_too(tmp_path: Path, harm: list[str], astray: list[str]) -> None:
    with fresh_place("sqlite", tmp_path) as place:
        database = migrated(place)
        with database.write(SYSTEM) as connection:
            for statement in harm:
                connection.execute(text(statement))
            assert unwatched(connection) == astray
        with pytest.raises(sqlite3.OperationalError):  # nobody changes what is watched meanwhile
            beside(place, "UPDATE tenants SET name = 'x'")
        settle(database)
        with database.read(SYSTEM) as connection:
            assert unwatched(connection) == []
        database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [kind for kind in DATABASES if kind != "sqlite"])
def test_without_the_owner_a_start_is_refused_and_told(kind: str, tmp_path: Path) -> None:
    with fresh_place(kind, tmp_path) as place:
        database = migrated(place)
        owner = Database(place.owner, pool_size=1)
        with owner.write(SYSTEM) as connection:
            connection.execute(text("ALTER TABLE users DISABLE TRIGGER troth_watch_users_update"))
        owner.close()
        with pytest.raises(Unavailable) as refusal:
            settle(database)
        assert refusal.value.code == "not-watched"
        assert told(database)[0]["op"] == "database.unwatched"
        database.close()


def test_down_and_up_again_with_rows_in_the_tables(place: Place, database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - slow, and only here
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(troth.__file__).parent / "storage" / "migrations"))
    config.set_main_option("path_separator", "os")
    owner = Database(place.owner, pool_size=1)
    with owner.write(SYSTEM) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0008")
        assert unwatched(connection) != []
    upgrade(owner)
    with owner.read(SYSTEM) as connection:
        assert unwatched(connection) == []
        assert connection.scalar(select(func.count()).select_from(tenants)) == 1
    owner.close()
    assert current(database) == HEAD
