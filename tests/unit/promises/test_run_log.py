"""What the log tells of checks: after a long silence, and after its oldest entries were pruned by policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from check_world import CheckWorld, check
from database_world import opened
from troth.audit.store import entries, logs
from troth.kernel.errors import IntegrityError
from troth.promises import store
from troth.promises.run_log import LOG, SCHEDULED, RunLog
from troth.promises.schedules import _statement
from troth.promises.status import State
from troth.vault.dsse import IN_TOTO, signature_over


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CheckWorld]:
    with opened("sqlite", tmp_path) as database:
        yield CheckWorld(database, tmp_path)


def _log(world: CheckWorld) -> RunLog:
    assert world.log_world is not None
    return RunLog(world.database, world.log_world.reader, world.clock)


def _prune(world: CheckWorld, keep: int) -> None:
    """Leave the newest entries, as the policy of the log does once the others are old enough."""
    mine = select(logs.c.number).where(logs.c.log == LOG).scalar_subquery()
    with world.database.write() as connection:
        end = connection.scalar(select(func.max(entries.c.position)).where(entries.c.number == mine))
        first = end + 1 - keep
        connection.execute(delete(entries).where(entries.c.number == mine, entries.c.position < first))
        connection.execute(update(logs).where(logs.c.log == LOG).values(first=first))
        left = connection.scalars(select(entries.c.leaf).where(entries.c.number == mine))
        assert SCHEDULED not in {json.loads(bytes(one))["op"] for one in left}


def _rounds(world: CheckWorld, count: int) -> None:
    for _ in range(count):
        world.scheduler.tick()
        world.clock.forward(hours=1)
    world.place()


@pytest.mark.parametrize("days", [1, 10, 100])
def test_a_lost_version_is_noticed_however_long_the_silence(world: CheckWorld, days: int) -> None:
    _rounds(world, 1)
    other = world.another([check(parameters={"n": 1})])
    other.confirm()
    _rounds(other, 1)
    with world.database.write() as connection:
        connection.execute(store.check_schedule.delete().where(store.check_schedule.c.version == 2))
    world.clock.forward(days=days)
    assert _log(world).version() == 2
    with pytest.raises(IntegrityError):
        world.another().schedules.versions()


def test_after_a_silence_a_chain_goes_on_behind_its_newest_run(world: CheckWorld) -> None:
    _rounds(world, 3)
    world.clock.forward(days=40)
    assert _log(world).newest()["one"].sequence == 3


def test_a_log_without_any_check_tells_of_none(world: CheckWorld) -> None:
    assert (_log(world).version(), _log(world).newest(), _log(world).pruned_before()) == (0, {}, 0)


def test_a_version_whose_entry_was_pruned_counts_by_its_signature(world: CheckWorld) -> None:
    _rounds(world, 4)
    _prune(world, 2)
    again = world.another()
    assert [one.version for one in again.schedules.versions()] == [1]
    assert again.state() is State.KEPT
    assert _log(world).pruned_before() > 0
    assert _log(world).ever_scheduled() is False


def test_a_pruned_version_that_somebody_edits_is_seen(world: CheckWorld) -> None:
    _rounds(world, 4)
    _prune(world, 2)
    with world.database.write() as connection:
        connection.execute(store.check_schedule.update().values(effective_at=store.check_schedule.c.effective_at + 1))
    with pytest.raises(IntegrityError):
        world.another().schedules.versions()
    assert world.another().state() is State.UNKNOWN


def test_a_signed_version_of_after_the_pruning_needs_its_entry(world: CheckWorld) -> None:
    """Who has the key writes a version into the table: it has no entry in a log that reaches back to its time."""
    _rounds(world, 4)
    _prune(world, 2)
    with world.database.read() as connection:
        (first,) = store.schedules(connection)
    forged = replace(first, version=2, logged_at=world.now, effective_at=world.now, request="run_forged")
    signed = store.Signed(world.key.name, signature_over(_statement(forged), IN_TOTO, world.key))
    with world.database.write() as connection:
        store.add_schedule(connection, replace(forged, signed=signed))
    with pytest.raises(IntegrityError):
        world.another().schedules.versions()
