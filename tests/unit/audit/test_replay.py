"""A database from an older backup, brought up to what was signed from the mirrors."""

from __future__ import annotations

import json
import shutil

import pytest
from sqlalchemy import update

from database_world import owned
from log_world import World
from troth.audit import store
from troth.audit.meta import META
from troth.audit.publication import Places
from troth.audit.replay import Replay, Replayed
from troth.audit.sequencer import Sequencer
from troth.audit.verify import verify_log, verify_proof
from troth.kernel.errors import Conflict, IntegrityError, Unavailable
from troth.storage.blobs import LocalBlobs

_TABLES = ("audit_logs", "audit_entries", "audit_tiles", "outbox")


def save(world: World) -> None:
    with owned(world.database) as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"CREATE TABLE saved_{table} AS SELECT * FROM {table}")


def roll_back(world: World) -> None:
    """What `save` kept, put back."""
    with owned(world.database) as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM saved_{table}")
            connection.exec_driver_sql(f"DROP TABLE saved_{table}")


@pytest.fixture
def guard(world: World) -> LocalBlobs:
    return LocalBlobs(world.folder / "guard")


@pytest.fixture
def guarded(world: World, guard: LocalBlobs) -> World:
    world.sequencer = world.another(guard=guard)
    return world


def replayed(world: World, guard: LocalBlobs, far: LocalBlobs | None = None) -> dict[str, Replayed]:
    done = Replay(world.database, Places(world.blobs, guard, far), world.sequencer.origins, world.clock).run()
    return {one.log: one for one in done}


@pytest.mark.parametrize(("old", "new"), [(5, 8), (0, 3), (250, 600), (256, 257), (300, 1100)])
def test_a_rolled_back_log_is_whole_again_and_grows_on(guarded: World, guard: LocalBlobs, old: int, new: int) -> None:
    world = guarded
    if old:
        world.grow(old)
        world.grow(2, log="ten_a")
    save(world)
    world.grow(new - old, start=old)
    world.grow(1, log="ten_b")
    world.sequencer.stop()
    trusted = world.reader.head("operator").checkpoint
    leaves, met = world.leaves(), world.leaves(META)
    roll_back(world)
    restarted = world.another(guard=guard)
    with pytest.raises(IntegrityError, match=r"older backup|database holds 0"):
        restarted.start()
    restarted.stop()
    done = replayed(world, guard)
    assert done["operator"] == Replayed("operator", old, new, 0)
    assert done.keys() == {"operator", "ten_b", META}
    assert world.leaves() == leaves
    assert world.leaves(META) == met
    assert replayed(world, guard) == {}
    world.sequencer = world.another(guard=guard)
    world.sequencer.start()
    world.grow(20, start=new)
    world.sequencer.stop()
    told = [json.loads(one.leaf) for one in world.reader.entries("operator", new, 100) if b"log.replayed" in one.leaf]
    assert {one["facts"]["row"] for one in told} == done.keys()
    facts = {one["facts"]["row"]: one["facts"] for one in told}
    assert facts["operator"]["counts"] == {"before": old, "after": new, "waiting": 0}
    assert [one["facts"]["tenant"] for one in told if "tenant" in one["facts"]] == ["ten_b"]
    assert {(one["log"], one["actor"], one["outcome"]) for one in told} == {("operator", "machine", "done")}
    size = new + 20 + len(told)
    assert verify_log(world.resource(), world.vkey(), trusted=trusted).size == size
    assert verify_log(world.folder / "blobs/tlog/operator", world.vkey(), trusted=trusted).size == size
    assert verify_proof(world.prover.proof("ten_b", 0), world.leaves("ten_b")[0], world.vkey("ten_b")) == 0


def test_what_waited_then_and_is_signed_now_is_not_placed_twice(guarded: World, guard: LocalBlobs) -> None:
    world = guarded
    world.grow(3)
    world.wait_for(4, start=3)
    save(world)
    world.sequencer.flush()
    world.sequencer.stop()
    leaves = world.leaves()
    roll_back(world)
    replayed(world, guard)
    world.sequencer = world.another(guard=guard)
    world.grow(1, start=7)
    assert world.leaves()[:7] == leaves
    assert [b"log.replayed" in leaf for leaf in world.leaves()[7:]].count(False) == 1


def test_entries_that_no_signature_covers_get_another_place(guarded: World, guard: LocalBlobs) -> None:
    """The guard of this machine went back too: the old server gave indexes again before the far mirror told."""
    world, far = guarded, LocalBlobs(world_folder(guarded) / "far")
    sequencer = _with_far(world, guard, far)
    world.grow(3)
    sequencer.flush()
    save(world)
    shutil.copytree(world.folder / "guard", world.folder / "guard-then")
    shutil.copytree(world.folder / "blobs", world.folder / "blobs-then")
    world.grow(5, start=3)
    sequencer.stop()
    world.sequencer = sequencer
    leaves = world.leaves()
    roll_back(world)
    for name in ("guard", "blobs"):
        shutil.rmtree(world.folder / name)
        (world.folder / f"{name}-then").rename(world.folder / name)
    world.wait_for(2, start=90)
    again = _with_far(world, guard, far)
    with pytest.raises(IntegrityError, match=r"second region|older backup"):
        again.flush()
    again.stop()
    done = replayed(world, guard, far)
    assert done["operator"] == Replayed("operator", 5, 8, 2)
    _with_far(world, guard, far).flush()
    assert world.leaves()[:8] == leaves
    assert [b"log.replayed" in leaf for leaf in world.leaves()[8:]].count(False) == 2
    assert verify_log(world.resource(), world.vkey()).size == 10 + len(done)


def world_folder(world: World):  # type: ignore[no-untyped-def]
    return world.folder


def _with_far(world: World, guard: LocalBlobs, far: LocalBlobs) -> Sequencer:
    made = Sequencer(world.database, world.blobs, world.key, world.clock, guard=guard, far=far)
    world.sequencer.stop()
    world.sequencer = made
    return made


def test_a_changed_bundle_replays_nothing(guarded: World, guard: LocalBlobs) -> None:
    world = guarded
    world.grow(3)
    save(world)
    world.grow(3, start=3)
    world.grow(3, log="ten_z")
    world.sequencer.stop()
    roll_back(world)
    path = world.folder / "blobs/tlog/operator/tile/entries/000.p/6"
    path.write_bytes(path.read_bytes().replace(b"usr_a", b"usr_b"))
    with pytest.raises(IntegrityError, match="do not lead to what was signed") as refused:
        replayed(world, guard)
    assert refused.value.code == "fork"
    assert world.reader.size("operator") == 3


@pytest.mark.parametrize("harm", ["gone", "short"])
def test_missing_entries_are_named_and_the_far_mirror_helps(guarded: World, guard: LocalBlobs, harm: str) -> None:
    world, far = guarded, LocalBlobs(world_folder(guarded) / "far")
    world.grow(3)
    _with_far(world, guard, far)
    save(world)
    world.grow(3, start=3)
    world.sequencer.stop()
    roll_back(world)
    path = world.folder / "blobs/tlog/operator/tile/entries/000.p/6"
    path.write_bytes(path.read_bytes()[:-40]) if harm == "short" else path.unlink()
    with pytest.raises(IntegrityError, match="No mirror holds the entries 3 to 5") as refused:
        replayed(world, guard)
    assert refused.value.code == "replay-incomplete"
    assert replayed(world, guard, far)["operator"].after == 6


def test_another_history_is_not_replayed_over(guarded: World, guard: LocalBlobs) -> None:
    world = guarded
    world.grow(3)
    save(world)
    world.grow(3, start=3)
    world.sequencer.stop()
    roll_back(world)
    with owned(world.database) as connection:
        row = store.read_tile(connection, 1, 0, 0)
        connection.execute(update(store.tiles).where(store.tiles.c.number == 1).values(hashes=row[32:] + row[:32]))
    with pytest.raises(IntegrityError, match="do not lead"):
        replayed(world, guard)


def test_a_running_server_is_not_replayed_under(guarded: World, guard: LocalBlobs) -> None:
    guarded.grow(1)
    with pytest.raises(Conflict, match="stop it first"):
        replayed(guarded, guard)


def test_a_place_that_forgot_is_restored_first(guarded: World, guard: LocalBlobs) -> None:
    guarded.grow(1)
    guarded.sequencer.stop()
    guard.delete("tlog/operator/checkpoint")
    with pytest.raises(IntegrityError, match="restore the log guard"):
        replayed(guarded, guard)


def test_nothing_is_signed_while_the_far_mirror_is_away(guarded: World, guard: LocalBlobs) -> None:
    world, far = guarded, Away(world_folder(guarded) / "far")
    world.grow(2)
    _with_far(world, guard, far)
    far.away = True
    world.wait_for(3, start=2)
    with pytest.raises(Unavailable):
        world.sequencer.flush()
    assert world.reader.head("operator").size == 2
    assert world.sequencer.state().unsigned == 1
    far.away = False
    world.sequencer.flush()
    assert verify_log(world.folder / "far/tlog/operator", world.vkey()).size == 5  # what came before it was there too


class Away(LocalBlobs):
    """A store that answers or does not."""

    away = False

    def get(self, name: str, most: int | None = None) -> bytes:
        if self.away:
            raise Unavailable("The mirror is away.")
        return super().get(name, most)
