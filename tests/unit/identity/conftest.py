"""Fixtures of the identity tests: SQLite always, PostgreSQL too when TROTH_TEST_POSTGRES_URL names a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table, event

from database_world import DATABASES, opened
from troth.identity import store
from troth.storage.database import Database
from unit.identity.world import World


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables."""
    tables = [table for table in vars(store).values() if isinstance(table, Table)]
    with opened(request.param, tmp_path, tables) as database:
        if database.dialect == "sqlite":  # the disk's pace is storage's to test
            event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        yield database


@pytest.fixture
def world(database: Database) -> World:
    """Everything of identity on that database."""
    return World(database)
