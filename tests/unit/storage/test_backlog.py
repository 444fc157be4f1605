"""What may wait for the log has an end, and the end is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import DATABASES, opened
from log_world import entry
from troth.kernel.errors import Unavailable
from troth.kernel.scope import Scope, within
from troth.storage import backlog as backlog_module
from troth.storage.database import Database
from troth.storage.outbox import Outbox, discard, pending


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(backlog_module, "_STEP", 7)
    monkeypatch.setattr(backlog_module, "_LOOK_SECONDS", 0.0)
    with opened(request.param, tmp_path) as database:
        yield database


def _taken(outbox: Outbox, most: int) -> int:
    for number in range(most):
        try:
            outbox.record(entry("operator", number))
        except Unavailable as refusal:
            assert refusal.code == "log-backlog"
            return number
    return most


def test_beyond_the_limit_entries_are_refused_until_some_are_placed(database: Database) -> None:
    outbox = Outbox(database, 20)
    assert _taken(outbox, 30) == 20
    with pytest.raises(Unavailable) as caught, database.write() as connection:
        outbox.record_within(connection, entry("operator", 0))
    assert caught.value.code == "log-backlog"
    with pytest.raises(Unavailable) as caught:
        outbox.submit(entry("operator", 0)).result()
    assert caught.value.code == "log-backlog"
    with database.write() as connection:
        discard(connection, pending(connection, 5))
    assert _taken(outbox, 30) == 5
    outbox.close()


def test_numbers_with_gaps_are_counted(database: Database) -> None:
    outbox = Outbox(database, 20)
    assert _taken(outbox, 15) == 15
    with database.write() as connection:  # most of those in the middle go
        for row in pending(connection, 15)[1:14]:
            discard(connection, [row])
    outbox.close()
    outbox = Outbox(database, 20)
    assert _taken(outbox, 40) == 18
    outbox.close()


def test_whoever_asks_all_that_waits_is_counted(database: Database) -> None:
    outbox = Outbox(database, 3)
    assert _taken(outbox, 3) == 3
    with within(Scope(tenant="ten_a")), pytest.raises(Unavailable), database.write() as connection:
        outbox.record_within(connection, entry("ten_a", 0))
    outbox.close()


def test_while_it_is_full_nobody_looks_again_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "_LOOK_SECONDS", 3600.0)
    outbox = Outbox(database, 2)
    assert _taken(outbox, 5) == 2
    with database.write() as connection:
        discard(connection, pending(connection, 2))
    assert _taken(outbox, 5) == 0
    outbox.close()
