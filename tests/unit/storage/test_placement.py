"""Places say where they lie; a start beside the wrong one, or an unmarked one, is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

import troth.wiring
from database_world import DATABASES, opened
from troth.identity.store import tenants
from troth.kernel.errors import Unavailable
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.placement import (
    MARKER,
    claim_database,
    claim_store,
    installation,
    mark,
    placed_database,
    placed_store,
)

assert troth.wiring


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(request.param, tmp_path) as database:
        yield database


def test_a_database_is_claimed_once_and_stays_where_it_is(database: Database) -> None:
    assert placed_database(database) is None
    claim_database(database, "eu", 1)
    claim_database(database, "eu", 2)
    assert placed_database(database) == "eu"
    with pytest.raises(Unavailable, match="belongs to an installation in 'eu'") as refusal:
        claim_database(database, "us", 3)
    assert refusal.value.code == "wrong-placement"


def test_a_database_with_tenants_that_does_not_say_is_refused(database: Database) -> None:
    claim_database(database, "eu", 1)
    with database.write() as connection:
        connection.execute(insert(tenants), {"id": "ten_a", "name": "a", "jurisdiction": "eu", "created_at": 1})
        connection.execute(delete(installation))
    with pytest.raises(Unavailable) as refusal:
        claim_database(database, "eu", 1)
    assert refusal.value.code == "no-placement"


def test_a_store_is_claimed_when_it_is_empty_and_asked_ever_after(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path / "store")
    assert placed_store(store) is None
    claim_store(store, "store", "au")
    store.create("objects/aa/x", b"x")
    claim_store(store, "store", "au")
    with pytest.raises(Unavailable) as refusal:
        claim_store(store, "store", "eu")
    assert refusal.value.code == "wrong-placement"
    store.delete(MARKER)
    with pytest.raises(Unavailable) as refusal:
        claim_store(store, "store", "au")
    assert refusal.value.code == "no-placement"
    mark(store, "au")
    mark(store, "eu")  # what is said is not unsaid
    claim_store(store, "store", "au")


@pytest.mark.parametrize("body", [b"", b"eu", b"[]", b'{"format": "other", "jurisdiction": "eu"}', b'{"format": 1}'])
def test_a_marker_that_cannot_be_read_is_a_wrong_one(tmp_path: Path, body: bytes) -> None:
    store = LocalBlobs(tmp_path / "store")
    store.create(MARKER, body)
    with pytest.raises(Unavailable) as refusal:
        claim_store(store, "store", "eu")
    assert refusal.value.code == "wrong-placement"
