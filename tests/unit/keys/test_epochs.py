"""Epochs: roots that are known, used, replaced and destroyed with proof."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from key_world import World
from troth.kernel.clock import SystemClock
from troth.kernel.errors import IntegrityError, Unavailable
from troth.keys.domains import Domain
from troth.keys.root_rows import Retired
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import KeyTree
from troth.storage.blobs import LocalBlobs


def _states(world: World) -> list[tuple[int, str, str]]:
    with world.database.read() as connection:
        rows = connection.execute(text("SELECT epoch, state, reason FROM key_root ORDER BY epoch, created_at"))
        return [(int(epoch), str(state), str(reason)) for epoch, state, reason in rows]


def test_each_root_goes_through_its_states(world: World) -> None:
    world.tree.rotate()
    assert _states(world) == [(1, "destroyed", "replaced"), (2, "active", "epoch")]
    with world.database.read() as connection:
        row = connection.execute(text("SELECT * FROM key_root WHERE epoch = 1")).one()
    assert row.created_at <= row.activated_at <= row.deactivated_at <= row.destroyed_at


def test_a_root_that_never_came_into_force_is_destroyed_at_the_next_start(world: World) -> None:
    epochs = world.tree._state.epochs
    abandoned = epochs.prepare(epochs.current().manifest, epochs.fresh_root(), "")
    assert len(world.roots[0].present()) == 2
    world.reopen()
    assert world.roots[0].present() == [epochs.current().manifest.domains[0].root]
    assert (2, "destroyed", "abandoned") in _states(world)
    with pytest.raises(Exception, match="changed meanwhile"), world.tree._state.store.write() as connection:
        epochs.commit(connection, abandoned, Retired())  # the process that prepared it wakes up too late


def test_one_domain_stands_in_for_another(two_domains: World) -> None:
    world = two_domains
    (one,) = world.own("ten_a", "usr_a")
    (root,) = world.roots[0].present()
    (world.folder / "roots-0" / f"{root}.root").unlink()
    world.tree._state.forget()
    assert world.tree.key(one.key.id) == one.key


def test_an_absent_domain_is_unavailable_a_lost_root_is_not(two_domains: World) -> None:
    world = two_domains

    def away(*_: object) -> bytes:
        raise Unavailable("away", code="away")

    for name in world.roots[0].present():
        world.roots[0].destroy(name)
    world.roots[1].open = away  # type: ignore[method-assign]
    world.tree._state.forget()
    with pytest.raises(Unavailable) as refusal:
        world.tree.rotate()
    assert refusal.value.code == "away"


def test_a_domain_that_is_no_longer_configured_holds_the_proof_back(two_domains: World, tmp_path: Path) -> None:
    world = two_domains
    world.own("ten_a", "usr_a")
    tree = KeyTree(world.database, world.domains[:1], SystemClock())
    with pytest.raises(Unavailable) as refusal:
        tree.destroy_subject("ten_a", "usr_a")
    assert refusal.value.code == "seal-pending"
    assert tree.resume() is False
    strange = Domain(LocalRoot(tmp_path / "strange", "strange"), LocalBlobs(tmp_path / "strange-copies"))
    with pytest.raises(IntegrityError):
        KeyTree(world.database, [strange], SystemClock()).resume()


def test_a_root_that_gives_something_else_back_is_found_before_anything_is_destroyed(world: World) -> None:
    root = world.roots[0]
    world.tree._state.epochs.current()
    root.open = lambda *_: bytes(32)  # type: ignore[method-assign]
    with pytest.raises(Unavailable) as refusal:
        world.tree.rotate()
    assert refusal.value.code == "root-lost"
    del root.open
    assert world.reopen().rotate().epoch_after == 2
