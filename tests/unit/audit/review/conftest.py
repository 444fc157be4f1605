"""Fixtures of the tests of reviews; PostgreSQL joins when TROTH_TEST_POSTGRES_URL is set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import DATABASES, opened
from log_world import World
from review_office import EVE, LOG, Office
from troth.audit.review.queue import Reviewer
from troth.storage.blobs import LocalBlobs


@pytest.fixture(params=DATABASES)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    with opened(request.param, tmp_path) as database:
        world = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        made = Office(world)
        yield made
        made.outbox.close()
        world.sequencer.stop()


@pytest.fixture
def by() -> Reviewer:
    return Reviewer(LOG, EVE, "req_r")
