"""What a usage row takes on disk, with its index: measured, on every database."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import text

from database_world import DATABASES, opened
from troth.gateway.limits import store
from troth.gateway.limits.store import UsageRow, usage_rows
from troth.kernel.ids import new_id
from troth.storage.database import Database

MOST = 400
ROWS = 4000
_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_relation_size('usage_row') + pg_indexes_size('usage_row')",
}


def fill(database: Database, count: int) -> None:
    """Requests of some tenants, in the order of time, as they are; numbers as large as they become."""
    chance = random.Random(7)
    tenants = [(new_id("ten"), new_id("usr"), new_id("key")) for _ in range(5)]
    for start in range(0, count, 500):
        with database.write() as connection:
            for number in range(start, min(count, start + 500)):
                tenant, subject, key = chance.choice(tenants)
                row = UsageRow(
                    tenant=tenant, at=1_795_400_000_000 + number * 40, request=new_id("req"), subject=subject, key=key,
                    operation="image.generate", model="a-model-2026-11-22", vendor="vendor-in-europe",
                    tokens_in=2**17, tokens_out=2**17, images=4, seconds=0, bytes=2**31, cost=2**31, currency="EUR",
                    outcome="answered",
                )  # fmt: skip
                store.add_row(connection, row)


@pytest.mark.parametrize("kind", DATABASES)
def test_a_row_with_its_index_is_at_most_400_bytes_on_disk(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path, [usage_rows]) as database:
        with database.read() as connection:
            empty = int(connection.execute(text(_SIZE[kind])).scalar_one())
        fill(database, ROWS)
        with database.read() as connection:
            size = int(connection.execute(text(_SIZE[kind])).scalar_one())
    each = (size - empty) / ROWS
    assert 200 < each <= MOST, each
