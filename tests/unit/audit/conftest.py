"""Fixtures of the audit tests; PostgreSQL joins when TROTH_TEST_POSTGRES_URL is set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import DATABASES, opened
from log_world import TestKey, World
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from witness_town import Town


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    made = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
    yield made
    made.sequencer.stop()


@pytest.fixture
def key() -> TestKey:
    return TestKey()


@pytest.fixture
def town(world: World) -> Iterator[Town]:
    made = Town(world)
    yield made
    made.stop(*list(made.open))


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a witness repeats counts at once."""
    monkeypatch.setattr("troth.audit.witnessing._APART_SECONDS", 0.0)
