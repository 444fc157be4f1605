"""Databases of each kind that the tests can have. On PostgreSQL the tables belong to an owner role; what a test gets is
a connection of the application's role, which row-level security holds, as in production."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, create_mock_engine, make_url, text

from troth.kernel.scope import NOBODY, SYSTEM, Scope
from troth.storage.database import Database, metadata
from troth.storage.isolation import grant, protect, settle

SERVER = os.environ.get("TROTH_TEST_POSTGRES_URL")
DATABASES = ["sqlite", *(["postgresql"] if SERVER else [])]
OWNER, APPLICATION, SECRET = "troth_owner", "troth_app", "for-tests-only"


class RoomDatabase(Database):
    """For tests of one room, which call it as no operation does: work without a scope is the system's."""

    owner_url = ""

    def current_scope(self) -> Scope:
        scope = super().current_scope()
        return SYSTEM if scope == NOBODY else scope


@dataclass(frozen=True)
class Place:
    """A place for tables. `url` is the application's, `owner` the owner's; on SQLite both are the file."""

    url: str
    owner: str

    @property
    def settings(self) -> dict[str, str]:
        """Members of the settings section `data`; none for SQLite, which is the default."""
        if self.url == self.owner:
            return {}
        return {"database_url": self.url, "database_owner_url": self.owner}


@contextmanager
def fresh_place(kind: str, folder: Path, *, alone: bool = False) -> Iterator[Place]:
    """An empty place; a PostgreSQL one is a schema, or when it must stand `alone` a database, dropped at the end."""
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'test.db'}"
        yield Place(url, url)
        return
    name = f"t_{secrets.token_hex(8)}"
    make, drop = (
        (f"CREATE DATABASE {name} OWNER {OWNER}", f"DROP DATABASE {name} WITH (FORCE)")
        if alone
        else (f"CREATE SCHEMA {name} AUTHORIZATION {OWNER}", f"DROP SCHEMA {name} CASCADE")
    )
    with administrator() as connection:
        connection.execute(text(make))
    yield Place(_url(APPLICATION, name, alone=alone), _url(OWNER, name, alone=alone))
    with administrator() as connection:
        connection.execute(text(drop))


@contextmanager
def opened(kind: str, folder: Path, tables: Iterable[Table] | None = None) -> Iterator[Database]:
    """A database with the whole schema, or with `tables`, for tests of a room."""
    with fresh_place(kind, folder) as place:
        create_tables(place, tables)
        database = RoomDatabase(place.url)
        database.owner_url = place.owner
        try:
            yield database
        finally:
            database.close()


def create_tables(place: Place, tables: Iterable[Table] | None = None) -> None:
    """The schema as it is declared, with its policies, made by the owner."""
    wanted = tuple(metadata.sorted_tables if tables is None else tables)
    if place.url == place.owner:
        file = Path(make_url(place.url).database or "")
        if wanted not in _FILES:
            _FILES[wanted] = _made_file(place, wanted)
        file.write_bytes(_FILES[wanted])
        return
    owner = Database(place.owner, pool_size=1)
    try:
        with owner.write(SYSTEM) as connection:
            if wanted not in _SCRIPTS:
                _SCRIPTS[wanted] = _script(connection, wanted)
            connection.exec_driver_sql(_SCRIPTS[wanted])
            protect(connection)
            grant(connection, APPLICATION)
    finally:
        owner.close()


# What was made once is made again without SQLAlchemy's compiler, where tests spent a third of their time.
_FILES: dict[tuple[Table, ...], bytes] = {}
_SCRIPTS: dict[tuple[Table, ...], str] = {}


def _made_file(place: Place, tables: tuple[Table, ...]) -> bytes:
    owner = Database(place.owner, pool_size=1)
    try:
        with owner.write(SYSTEM) as connection:
            metadata.create_all(connection, list(tables))
    finally:
        owner.close()
    with closing(sqlite3.connect(make_url(place.url).database or "")) as made:
        return made.serialize()


def _script(connection: Connection, tables: tuple[Table, ...]) -> str:
    lines: list[str] = []
    paper = create_mock_engine(connection.engine.url, lambda element, *_, **__: lines.append(_written(element, paper)))
    metadata.create_all(paper, list(tables), checkfirst=False)
    return ";\n".join(lines)


def _written(element: Any, paper: Any) -> str:
    return str(element.compile(dialect=paper.dialect)).replace("%%", "%")


@contextmanager
def owned(database: Database) -> Iterator[Connection]:
    """A transaction of the role that owns the tables, for what the application may not do."""
    owner = Database(getattr(database, "owner_url", ""), pool_size=1) if database.dialect == "postgresql" else database
    with owner.write(SYSTEM) as connection:
        yield connection
    if owner is not database:
        owner.close()


def migrated(place: Place) -> Database:
    """The application's database after the migrations, as production has it."""
    database = Database(place.url)
    settle(database, owner_url=None if place.owner == place.url else place.owner)
    return database


@contextmanager
def administrator() -> Iterator[Connection]:
    """The server's superuser; the two roles of the tests exist."""
    assert SERVER is not None
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for role in (OWNER, APPLICATION):
                connection.execute(text(_ROLE.format(role=role, secret=SECRET)))
            yield connection
    finally:
        engine.dispose()


_ROLE = """DO $$ BEGIN
CREATE ROLE {role} LOGIN PASSWORD '{secret}';
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""


def _url(role: str, name: str, *, alone: bool) -> str:
    assert SERVER is not None
    url = make_url(SERVER).set(username=role, password=SECRET)
    url = url.set(database=name) if alone else url.update_query_dict({"options": f"-csearch_path={name}"})
    return url.render_as_string(hide_password=False)
