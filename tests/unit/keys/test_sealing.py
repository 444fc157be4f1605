"""Revoking and sealing when something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from key_world import World
from troth.kernel.errors import Gone, Unavailable
from troth.keys import btree, sealing
from troth.keys.btree import Draft, Range, prefix_range
from troth.keys.pages import Ref
from troth.keys.tree import Scope
from troth.keys.units import tenant_place


def test_a_change_that_would_lose_other_keys_is_not_written(
    world: World, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The survivor check is apart from the code that erases, so a fault there costs nothing."""
    goes, stays = world.own("ten_a", "usr_a", 9), world.own("ten_a", "usr_b", 9)

    def too_much(draft: Draft, root: Ref, ranges: Sequence[Range], fresh: Ref) -> Ref:
        return btree.erase(draft, root, [prefix_range(tenant_place("ten_a"))], fresh)

    def one_leaf_too_much(draft: Draft, root: Ref, ranges: Sequence[Range], fresh: Ref) -> Ref:
        return btree.erase(draft, root, btree.merged([*ranges, prefix_range(stays[0].place)]), fresh)

    for fault in (too_much, one_leaf_too_much):
        monkeypatch.setattr(sealing, "erase", fault)
        with pytest.raises(Unavailable) as refusal:
            world.tree.destroy_subject("ten_a", "usr_a")
        assert refusal.value.code == "key-survivors"
        monkeypatch.undo()
        monkeypatch.setattr(btree, "LEAF_MAX", 4)
    assert all(world.tree.key(one.key.id) == one.key for one in stays)
    assert world.tree.verify() == 18
    assert world.tree.destroy_subject("ten_a", "usr_a").units == len(goes)
    assert world.tree.verify() == 9


def test_a_page_that_is_not_kept_stops_the_seal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.own("ten_a", "usr_a")
    with monkeypatch.context() as patch:
        patch.setattr(world.tree._state.store, "write_pages", lambda *_: None)
        with pytest.raises(Unavailable) as refusal:
            world.tree.destroy_subject("ten_a", "usr_a")
    assert refusal.value.code == "key-copy-lost"
    assert world.tree.destroy_subject("ten_a", "usr_a").units == 1


def test_a_unit_revoked_after_its_owner_is_not_counted_twice(world: World) -> None:
    (one, _) = world.own("ten_a", "usr_a", 2)
    world.tree.revoke(Scope.of_subject("ten_a", "usr_a"))
    world.tree.revoke(Scope.of_units([one.key.id]))
    assert world.tree.destroy_subject("ten_a", "usr_a").units == 2


def test_an_owner_revoked_in_the_last_moment_gets_no_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first look and the commit another process revokes: the commit looks again."""
    scopes = world.tree._state.scopes
    look, calls = scopes.erased_among, []

    def late(connection: Any, owners: Any) -> Any:
        calls.append(1)
        return set() if len(calls) == 1 else look(connection, owners)

    world.tree.revoke(Scope.of_subject("ten_a", "usr_a"))
    monkeypatch.setattr(scopes, "erased_among", late)
    with pytest.raises(Gone):
        world.own("ten_a", "usr_a")
    assert len(calls) == 3
    assert world.tree.verify() == 0


def test_a_name_taken_in_the_last_moment_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.shared("ten_a", "usr_a", "account").key
    rows = world.tree._state.rows
    look, calls = rows.by_names, []

    def late(connection: Any, names: Any) -> Any:
        calls.append(1)
        return {} if len(calls) == 1 else look(connection, names)

    world.tree._state.forget()
    monkeypatch.setattr(rows, "by_names", late)
    assert world.shared("ten_a", "usr_a", "account").key == made
    assert world.tree.verify() == 1


def test_a_tree_that_never_settles_is_busy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.own("ten_a", "usr_a")
    monkeypatch.setattr(
        world.tree._state.scopes, "erased_among", lambda _, owners: set(owners) if len(owners) else set()
    )
    monkeypatch.setattr("troth.keys.adding._Barred.admits", lambda *_: True)
    with pytest.raises(Unavailable) as refusal:
        world.own("ten_a", "usr_a")
    assert refusal.value.code == "tree-busy"
    monkeypatch.undo()
    assert len(world.own("ten_a", "usr_a")) == 1


def test_a_start_without_its_domain_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise Unavailable("away", code="away")

    monkeypatch.setattr(world.roots[0], "present", away)
    with pytest.raises(Unavailable) as refusal:
        world.tree.resume()
    assert refusal.value.code == "away"
