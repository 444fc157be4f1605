"""Fixtures of the identity tests: SQLite always, PostgreSQL too when TROTH_TEST_POSTGRES_URL names a server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table, create_engine, event, text

from troth.identity import store
from troth.storage.database import Database, metadata
from unit.identity.world import World

POSTGRES = os.environ.get("TROTH_TEST_POSTGRES_URL")


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'troth.db'}")
        return
    assert POSTGRES is not None
    schema = f"identity_{secrets.token_hex(6)}"
    server = create_engine(POSTGRES)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield from _opened(f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}options=-csearch_path%3D{schema}")
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    if database.dialect == "sqlite":  # the disk's pace is storage's to test
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    with database.engine.begin() as connection:
        metadata.create_all(connection, [table for table in vars(store).values() if isinstance(table, Table)])
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    """Everything of identity on that database."""
    return World(database)
