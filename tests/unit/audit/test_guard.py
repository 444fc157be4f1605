"""A database that is not what was signed: restored, cut, rewritten, or beside an object store that forgot."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from database_world import owned
from log_world import World
from troth.audit.sequencer import Sequencer
from troth.audit.verify import verify_log
from troth.kernel.errors import IntegrityError, Unavailable
from troth.storage.blobs import LocalBlobs

_TABLES = ("audit_logs", "audit_entries", "audit_tiles")


def save(world: World) -> None:
    """A backup of the log's tables."""
    with owned(world.database) as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"CREATE TABLE saved_{table} AS SELECT * FROM {table}")


def restore(world: World) -> None:
    """The backup put back, as after an accident, or by somebody who wants an entry gone."""
    with owned(world.database) as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM saved_{table}")
            connection.exec_driver_sql(f"DROP TABLE saved_{table}")


CALLS: list[Callable[[Sequencer], None]] = [Sequencer.start, Sequencer.flush, Sequencer.integrate]


@pytest.mark.parametrize("call", CALLS)
def test_a_restored_database_is_refused_and_says_why(world: World, call: Callable[[Sequencer], None]) -> None:
    world.grow(5)
    save(world)
    world.grow(3, start=5)
    world.sequencer.stop()
    signed = world.blobs.get("tlog/operator/checkpoint")
    restore(world)
    world.wait_for(9, start=90)
    restarted = world.another()
    with pytest.raises(IntegrityError, match="restored from an older backup") as caught:
        call(restarted)
    assert caught.value.code == "fork"
    for again in CALLS:
        with pytest.raises(IntegrityError, match="signed at 8 entries and the database holds 5"):
            again(restarted)
    state = restarted.state()
    assert (state.running, state.waiting) == (False, 9)
    assert state.fault is not None
    assert "older backup" in state.fault
    assert world.blobs.get("tlog/operator/checkpoint") == signed
    restarted.stop()


def test_a_restored_database_that_grew_past_the_old_size_is_a_fork(world: World) -> None:
    world.grow(5)
    save(world)
    world.grow(3, start=5)
    world.sequencer.stop()
    restore(world)
    signed = world.blobs.get("tlog/operator/checkpoint")
    world.blobs.delete("tlog/operator/checkpoint")
    with owned(world.database) as connection:  # the guard is taken away and the database made to forget it too
        connection.exec_driver_sql("UPDATE audit_logs SET signed_size = 0, checkpoint = NULL")
    for name in list(world.blobs.names("tlog/")):
        world.blobs.delete(name)
    forked = world.another()
    world.wait_for(30, start=90)
    forked.flush()
    forked.stop()
    world.blobs.delete("tlog/operator/checkpoint")
    world.blobs.create("tlog/operator/checkpoint", signed)  # the guard comes back
    world.wait_for(1, start=200)
    restarted = world.another()
    with pytest.raises(IntegrityError, match="first 8 entries are not those that were signed"):
        restarted.flush()
    restarted.stop()


def test_a_running_sequencer_stops_and_stays_stopped(world: World) -> None:
    world.grow(2)
    save(world)
    world.grow(2, start=2)
    restore(world)
    world.sequencer.stop()
    restarted = world.another()
    with pytest.raises(IntegrityError):
        restarted.start()
    assert not restarted.state().running
    restarted.stop()


def test_a_lost_object_store_is_not_taken_for_a_new_log(world: World) -> None:
    world.grow(2)
    world.sequencer.stop()
    world.blobs.delete("tlog/operator/checkpoint")
    restarted = world.another()
    with pytest.raises(IntegrityError, match="missing from the object store"):
        restarted.start()
    restarted.stop()


def test_a_log_that_the_database_forgot_is_not_begun_anew(world: World) -> None:
    world.grow(2, log="ten_a")
    world.sequencer.stop()
    with owned(world.database) as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    restarted = world.another()
    world.wait_for(1, log="ten_a")
    with pytest.raises(IntegrityError, match="holds 0"):
        restarted.flush()
    restarted.stop()


def test_a_guard_that_we_did_not_sign_is_refused(world: World) -> None:
    world.grow(2)
    world.sequencer.stop()
    note = world.blobs.get("tlog/operator/checkpoint")
    world.blobs.delete("tlog/operator/checkpoint")
    world.blobs.create("tlog/operator/checkpoint", note.replace(b"\n2\n", b"\n1\n"))
    restarted = world.another()
    with pytest.raises(IntegrityError):
        restarted.start()
    restarted.stop()


class DyingGuard(LocalBlobs):
    """The place beside the keys, whose owner dies right before or right after it moves."""

    dies = ""

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        if self.dies == "before":
            raise Unavailable("gone")
        super().swap(name, content, expected)
        if self.dies == "after":
            raise Unavailable("gone")


@pytest.fixture
def guarded(world: World) -> World:
    """A world whose guard stands beside the keys too."""
    world.guard = DyingGuard(world.folder / "keys/log-guard")  # type: ignore[attr-defined]
    again(world)
    return world


def again(world: World) -> Sequencer:
    """The next start of the same installation."""
    world.sequencer.stop()
    world.sequencer = world.another(LocalBlobs(world.folder / "blobs"), world.guard)  # type: ignore[attr-defined]
    return world.sequencer


def test_both_places_remember_the_same_checkpoint(guarded: World) -> None:
    guarded.grow(3)
    signed = guarded.guard.get("tlog/operator/checkpoint")  # type: ignore[attr-defined]
    assert signed == guarded.blobs.get("tlog/operator/checkpoint")
    assert signed == guarded.publisher.resource("operator", "checkpoint")


@pytest.mark.parametrize("call", CALLS)
def test_the_whole_data_folder_of_yesterday_is_refused(guarded: World, call: Callable[[Sequencer], None]) -> None:
    guarded.grow(5)
    save(guarded)
    shutil.copytree(guarded.folder / "blobs", guarded.folder / "yesterday")
    guarded.grow(3, start=5)
    guarded.sequencer.stop()
    restore(guarded)
    shutil.rmtree(guarded.folder / "blobs")
    shutil.copytree(guarded.folder / "yesterday", guarded.folder / "blobs")
    shown = guarded.publisher.resource("operator", "checkpoint")
    guarded.wait_for(9, start=90)
    restarted = again(guarded)
    with pytest.raises(IntegrityError, match="signed at 8 entries and the database holds 5") as caught:
        call(restarted)
    assert caught.value.code == "fork"
    assert guarded.publisher.resource("operator", "checkpoint") == shown


def test_a_log_that_the_data_folder_never_heard_of_is_refused(guarded: World) -> None:
    guarded.grow(5)
    guarded.sequencer.stop()
    with owned(guarded.database) as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    shutil.rmtree(guarded.folder / "blobs")
    with pytest.raises(IntegrityError, match="the database holds 0"):
        again(guarded).start()


@pytest.mark.parametrize(("gone", "named"), [("keys/log-guard", "keys folder"), ("blobs", "object store")])
def test_a_place_that_forgot_is_named(guarded: World, gone: str, named: str) -> None:
    guarded.grow(5)
    (guarded.folder / gone / "tlog/operator/checkpoint").unlink()
    guarded.wait_for(1, start=5)
    with pytest.raises(IntegrityError, match=f"missing from the .*{named}; restore the .*{named}"):
        again(guarded).flush()


@pytest.mark.parametrize("dies", ["before", "after"])
@pytest.mark.parametrize(("first", "more"), [(0, 0), (0, 5), (3, 0), (3, 5)])
def test_a_death_around_the_move_beside_the_keys_is_made_good(guarded: World, dies: str, first: int, more: int) -> None:
    """Also at the first signing of a log, when the mirror has none yet."""
    if first:
        guarded.grow(first)
    guarded.guard.dies = dies  # type: ignore[attr-defined]
    guarded.wait_for(2, start=first)
    with pytest.raises(Unavailable):
        guarded.sequencer.flush()
    guarded.guard.dies = ""  # type: ignore[attr-defined]
    again(guarded)
    if more:
        guarded.wait_for(more, start=first + 2)
    guarded.sequencer.flush()
    assert verify_log(guarded.resource(), guarded.vkey()).size == first + 2 + more
    assert verify_log(guarded.folder / "blobs/tlog/operator", guarded.vkey()).size == first + 2 + more
    remembered = {guarded.guard.get("tlog/operator/checkpoint"), guarded.blobs.get("tlog/operator/checkpoint")}  # type: ignore[attr-defined]
    assert len(remembered) == 1
