"""Fixtures of the vault tests; PostgreSQL joins when TROTH_TEST_POSTGRES_URL is set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import DATABASES, opened
from troth.storage.database import Database
from vault_world import VaultWorld


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[VaultWorld]:
    made = VaultWorld(database, tmp_path)
    yield made
    made.close()
