"""A root page key split over two domains: both are needed, and destroying one suffices."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import DATABASES
from key_world import World
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Gone, IntegrityError, Invalid, Unavailable
from troth.keys.shares import FreshRoot, joined
from troth.keys.tree import KeyTree, Options

SPLIT = Options(split=True)


@pytest.fixture(params=DATABASES)
def split(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A tree whose root page key is split over two domains."""
    made = World(tmp_path, domains=2, kind=request.param, options=SPLIT)
    yield made
    made.close()


def _snapshot(world: World, at: int) -> Path:
    copy = world.folder / f"snapshot-{at}"
    shutil.copytree(world.folder / f"roots-{at}", copy)
    return copy


def test_the_key_needs_every_share_and_depends_on_the_page() -> None:
    fresh = FreshRoot.draw(["a", "b"], split=True)
    assert len(set(fresh.parts.values())) == 2
    assert fresh.ref.key not in fresh.parts.values()
    assert joined(fresh.parts, fresh.ref.page) == fresh.ref.key
    assert joined(dict(reversed(fresh.parts.items())), fresh.ref.page) == fresh.ref.key
    assert joined({"a": fresh.parts["a"]}, fresh.ref.page) != fresh.ref.key
    assert joined(fresh.parts, bytes(16)) != fresh.ref.key
    whole = FreshRoot.draw(["a", "b"], split=False)
    assert set(whole.parts.values()) == {whole.ref.key}


def test_a_split_tree_works_and_no_domain_opens_it_alone(split: World) -> None:
    (unit, goes) = split.own("ten_a", "usr_a", 2)
    assert split.tree.destroy_units([goes.key.id]).units == 1
    assert split.reopen().key(unit.key.id) == unit.key
    for one in split.domains:
        alone = KeyTree(split.database, [one], SystemClock())
        with pytest.raises(Unavailable) as refusal:
            alone.key(unit.key.id)
        assert refusal.value.code == "key-share"


def test_a_domain_that_is_away_stops_a_split_tree_and_not_another(split: World, tmp_path: Path) -> None:
    folder = tmp_path / "together"
    folder.mkdir(mode=0o700)
    together = World(folder, domains=2)

    def fails(*_: object) -> bytes:
        raise Unavailable("The domain is away.", code="away")

    for world in (split, together):
        (unit,) = world.own("ten_a", "usr_a")
        world.tree._state.forget()
        world.roots[0].open = fails  # type: ignore[method-assign]
        if world is split:
            with pytest.raises(Unavailable):
                world.tree.key(unit.key.id)
        else:
            assert world.tree.key(unit.key.id) == unit.key
    together.close()


@pytest.mark.parametrize("restored", [0, 1])
def test_one_provider_restored_from_a_snapshot_brings_nothing_back(split: World, restored: int) -> None:
    (unit,) = split.own("ten_a", "usr_a")
    split.keep()
    copy = _snapshot(split, restored)
    split.tree.destroy_subject("ten_a", "usr_a")
    split.keep()
    shutil.copytree(copy, split.folder / f"roots-{restored}", dirs_exist_ok=True)
    assert not split.history.opens(unit, split.history.secrets(split.roots))
    both = _snapshot(split, 1 - restored)
    assert both.is_dir()
    with pytest.raises(Gone):
        split.tree.key(unit.key.id)


def test_both_providers_restored_open_it_again_which_is_the_control(split: World) -> None:
    (unit,) = split.own("ten_a", "usr_a")
    split.keep()
    copies = [_snapshot(split, at) for at in (0, 1)]
    split.tree.destroy_subject("ten_a", "usr_a")
    split.keep()
    for at, copy in enumerate(copies):
        shutil.copytree(copy, split.folder / f"roots-{at}", dirs_exist_ok=True)
    assert split.history.opens(unit, split.history.secrets(split.roots))


def test_without_split_one_restored_provider_suffices_to_open_it(tmp_path: Path) -> None:
    world = World(tmp_path, domains=2)
    (unit,) = world.own("ten_a", "usr_a")
    world.keep()
    copy = _snapshot(world, 1)
    world.tree.destroy_subject("ten_a", "usr_a")
    world.keep()
    shutil.copytree(copy, world.folder / "roots-1", dirs_exist_ok=True)
    assert world.history.opens(unit, world.history.secrets(world.roots))
    world.close()


def test_a_share_that_does_not_come_back_gives_no_proof(split: World) -> None:
    split.own("ten_a", "usr_a")
    seal = split.roots[1].seal
    split.roots[1].seal = lambda root, plaintext, aad: seal(root, bytes(32), aad)  # type: ignore[method-assign]
    with pytest.raises(Unavailable) as refusal:
        split.tree.destroy_subject("ten_a", "usr_a")
    assert refusal.value.code == "root-lost"
    split.roots[1].seal = seal  # type: ignore[method-assign]
    assert split.tree.destroy_subject("ten_a", "usr_a").units == 1


def test_the_setting_holds_from_the_next_start_on(two_domains: World) -> None:
    (unit,) = two_domains.own("ten_a", "usr_a")
    for options in (SPLIT, Options()):
        two_domains.options = options
        tree = two_domains.reopen()
        assert tree._state.epochs.current().manifest.split is options.split
        assert tree.key(unit.key.id) == unit.key
    assert tree._state.epochs.current().manifest.epoch == 3


def test_a_lost_share_is_a_tree_that_no_longer_exists(split: World) -> None:
    split.own("ten_a", "usr_a")
    (name,) = split.roots[0].present()
    split.roots[0].destroy(name)
    with pytest.raises(IntegrityError) as refusal:
        split.reopen()
    assert refusal.value.code == "tree-rolled-back"


def test_one_domain_cannot_be_split(world: World) -> None:
    with pytest.raises(Invalid):
        KeyTree(world.database, world.domains, SystemClock(), options=SPLIT)
