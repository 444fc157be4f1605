"""Finding today's key tree from whatever is left, with today's roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from key_world import World
from troth.kernel.errors import IntegrityError
from troth.keys import recovery
from troth.keys.recovery import Kept


def _copies(world: World) -> list[Kept]:
    return [recovery.kept_in_copies(one.blobs, "eu") for one in world.domains]


def _roots(world: World) -> list:  # type: ignore[type-arg]
    return [one.root for one in world.domains]


def test_the_copies_of_a_domain_are_enough_and_the_erased_are_not_in_them(tmp_path: Path) -> None:
    world = World(tmp_path, domains=2)
    stays, goes = world.own("t", "stays", 300), world.own("t", "goes", 300)
    old = _copies(world)
    world.tree.destroy_subject("t", "goes")
    for kept in ([_copies(world)[0]], [*old, *_copies(world)]):
        found = recovery.find(kept, _roots(world), "eu")
        assert {one.place for one in stays} <= found.addresses
        assert not {one.place for one in goes} & found.addresses
    with pytest.raises(IntegrityError) as refused:
        recovery.find(old, _roots(world), "eu")
    assert refused.value.code == "tree-rolled-back"


def test_everything_ever_written_still_leads_to_today(tmp_path: Path) -> None:
    world = World(tmp_path, domains=2)
    for turn in range(6):
        world.own("t", f"s{turn}", 40)
        if turn % 2:
            world.tree.destroy_subject("t", f"s{turn - 1}")
    kept = Kept()
    for written in world.kept:
        for content in written.values():
            kept.add(content)
    live = {one.place for one in world.made if one.subject not in ("s0", "s2", "s4")}
    assert recovery.find([kept], _roots(world), "eu").addresses == live


def test_a_tree_with_a_missing_page_is_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.own("t", "s", 600)
    (kept,) = _copies(world)
    found = recovery.find([kept], _roots(world), "eu")
    for page in found.pages:
        less = Kept(set(kept.manifests), {one: set(all_) for one, all_ in kept.pages.items() if one != page})
        with pytest.raises(IntegrityError):
            recovery.find([less], _roots(world), "eu")


def test_strange_bytes_are_passed_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.own("t", "s", 3)
    (kept,) = _copies(world)
    for content in (b"", b"{}", b"nonsense"):
        kept.add(content)
    assert len(recovery.find([kept], _roots(world), "eu").addresses) == 3
