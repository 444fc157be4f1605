"""The migrations make exactly the tables that the code declares, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import troth
import troth.wiring
from database_world import DATABASES, fresh_place
from troth.storage.database import Database, metadata
from troth.storage.migrate import HEAD, current, upgrade


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh_place(request.param, tmp_path) as place:
        database = Database(place.owner)
        yield database
        database.close()


def test_migrated_and_declared_are_the_same(empty: Database) -> None:
    upgrade(empty)
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_an_up_to_date_database_is_left_alone(empty: Database) -> None:
    assert current(empty) is None
    upgrade(empty)
    assert current(empty) == HEAD
    with empty.write() as connection:
        connection.execute(text("DROP TABLE outbox"))
    upgrade(empty)
    with empty.read() as connection:
        assert not inspect(connection).has_table("outbox")


def test_head_is_the_newest_file() -> None:
    versions = Path(troth.__file__).parent / "storage" / "migrations" / "versions"
    assert max(path.stem for path in versions.glob("0*.py")) == HEAD
