"""News: put once for each webhook that takes its kind, and old news for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from database_world import opened
from troth.governance.calendar_tables import deliveries
from troth.governance.deliveries import Deliveries, Letter
from troth.governance.looking import DAY_MS
from troth.governance.news import Item, News
from troth.governance.webhooks import PAPER, SUB_PROCESSOR
from troth.kernel.clock import epoch_ms
from troth.storage.database import Database
from worlds import MovableClock

HOOKS = {("ten_a", PAPER): ["whk_1", "whk_2"], ("ten_a", SUB_PROCESSOR): ["whk_2"], ("ten_b", PAPER): ["whk_3"]}


class Nowhere:
    def send(self, letter: Letter) -> None:
        """Takes everything."""


def hooks(_connection: Connection, tenant: str, kind: str) -> list[str]:
    return HOOKS.get((tenant, kind), [])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened("sqlite", tmp_path, [deliveries]) as made:
        yield made


def told(database: Database) -> list[tuple[str, str]]:
    """(webhook, kind), in their order."""
    with database.read() as connection:
        rows: list[Any] = list(connection.execute(select(deliveries.c.target, deliveries.c.kind)))
    return sorted((row.target, row.kind) for row in rows)


def test_each_webhook_is_told_once_of_what_it_takes_while_it_is_new(database: Database) -> None:
    clock = MovableClock()
    now = epoch_ms(clock.now())
    published = [
        Item(kind, name, at, {"title": name, "url": "https://troth.example.org"})
        for kind, name, at in (
            (PAPER, "1", now - 31 * DAY_MS), (PAPER, "2", now), (SUB_PROCESSOR, "a", now - 29 * DAY_MS),
            (PAPER, "3", now + DAY_MS),
        )
    ]  # fmt: skip
    news = News(
        Deliveries(database, clock, {"webhook": Nowhere()}), lambda: ["ten_a", "ten_b"], hooks, lambda: published
    )
    assert (news.run(), news.run()) == (4, 0)
    assert told(database) == [("whk_1", PAPER), ("whk_2", PAPER), ("whk_2", SUB_PROCESSOR), ("whk_3", PAPER)]
    clock.forward(days=1)
    assert (news.run(), news.run()) == (3, 0)
