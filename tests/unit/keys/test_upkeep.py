"""Sweeping, verifying and replicating."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from key_world import World
from troth.kernel.clock import SystemClock
from troth.kernel.errors import IntegrityError, Unavailable
from troth.keys.domains import Domain
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import KeyTree
from troth.storage.blobs import LocalBlobs


def _copies(world: World) -> int:
    return sum("manifest" not in name for name in world.domains[0].blobs.names())


def test_a_sweep_leaves_what_lives_and_nothing_else(world: World, small_pages: None) -> None:
    world.own("ten_a", "usr_a", 60)
    world.own("ten_a", "usr_b", 60)
    world.tree.destroy_subject("ten_a", "usr_a")
    assert world.tree.sweep() > 10  # whole subtrees were dropped unread
    assert world.tree.sweep() == 0
    with world.database.read() as connection:
        rows = connection.execute(text("SELECT count(*) FROM key_page")).scalar_one()
    packed = sum(int(name.split("-")[1]) for name in world.domains[0].blobs.names() if "/pack-" in name)
    assert 0 < rows <= packed + _copies(world)  # every row has its copy
    assert world.tree.verify() == 60


def test_a_sweep_empties_packs_that_are_hardly_used(world: World, small_pages: None) -> None:
    for at in range(3):
        world.own("ten_a", f"usr_{at}", 60)
    blobs = world.domains[0].blobs
    first = {name for name in blobs.names() if "/pack-" in name}
    world.tree.destroy_subject("ten_a", "usr_0")
    world.tree.destroy_subject("ten_a", "usr_1")
    for at in range(0, 60, 2):
        world.tree.destroy_units([world.made[120 + at].key.id])
    world.tree.sweep()
    assert not first & set(blobs.names())
    assert world.tree.verify() == 30
    world.tree.rotate()
    assert world.tree.sweep() <= 3
    assert world.reopen().verify() == 30


def test_a_sweep_takes_what_lost_attempts_left(world: World) -> None:
    world.own("ten_a", "usr_a", 3)
    blobs = world.domains[0].blobs
    (name,) = (one for one in blobs.names() if "manifest" not in one)
    page, version, digest = name.rpartition("/")[2].split("-")
    stale = [f"kt/eu/00000001/{page}-{version}-{'0' * 16}", f"kt/eu/00000000/{'ab' * 16}-1-{digest}"]
    in_the_making = [f"kt/eu/00000001/{page}-{int(version) + 1}-{digest}", f"kt/eu/00000002/{'ab' * 16}-1-{digest}"]
    for one in stale + in_the_making:
        blobs.create(one, b"x")
    assert world.tree.sweep() == len(stale)
    assert set(in_the_making) <= set(blobs.names())


def test_a_large_batch_leaves_its_old_copies_to_the_sweep(
    world: World, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.keys.sealing._REMOVED_AT_ONCE", 2)
    made = [one for _ in range(10) for one in world.own("ten_a", "usr_a", 4)]  # few pages at a time: no packs
    world.tree.destroy_units([one.key.id for one in made[::3]])
    assert world.tree.sweep() > 2
    assert world.tree.verify() == 26


def test_a_new_domain_is_brought_up_to_date(world: World, tmp_path: Path) -> None:
    made = world.own("ten_a", "usr_a", 300)
    late = Domain(LocalRoot(tmp_path / "late", "late"), LocalBlobs(tmp_path / "late-copies"))
    tree = KeyTree(world.database, [*world.domains, late], SystemClock())
    assert tree.resume()
    with pytest.raises(Unavailable):
        tree.verify()
    assert tree.replicate().units == 0
    assert tree.verify() == 300
    alone = KeyTree(world.database, [late], SystemClock())
    assert alone.key(made[0].key.id) == made[0].key  # it can stand in for the others


def test_a_missing_page_is_said_not_skipped(world: World) -> None:
    world.own("ten_a", "usr_a", 300)
    with world.database.write() as connection:
        connection.execute(text("DELETE FROM key_page WHERE version = 1"))
    for act in (world.tree.verify, world.tree.replicate):
        with pytest.raises(IntegrityError):
            act()
