"""Fixtures of the identity tests: SQLite always, PostgreSQL too when TROTH_TEST_POSTGRES_URL names a server."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Table, event

import troth.identity
from database_world import DATABASES, opened
from troth.storage.database import Database
from unit.identity.world import World


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables."""
    with opened(request.param, tmp_path, _tables()) as database:
        if database.dialect == "sqlite":  # the disk's pace is storage's to test
            event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        yield database


@pytest.fixture
def world(database: Database) -> World:
    """Everything of identity on that database."""
    return World(database)


def _tables() -> list[Table]:
    """Of the room and of each package in it that has a store."""
    (room,) = troth.identity.__path__
    places = [one.relative_to(room).with_suffix("").parts for one in sorted(Path(room).rglob("store.py"))]
    stores = [import_module(".".join(("troth.identity", *parts))) for parts in places]
    return list({id(one): one for store in stores for one in vars(store).values() if isinstance(one, Table)}.values())
