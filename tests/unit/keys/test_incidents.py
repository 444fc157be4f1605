"""Compromise: what was exposed protects nothing more, is replaced, and ends as destroyed-compromised."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from key_world import World, replaced
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, Invalid, NotFound, Unavailable
from troth.keys.incidents import Incidents
from troth.keys.tree import Scope, Use

USER = DataClass.USER_GENERATED
TENANT = Scope.of_tenant("ten_a")


class Mover:
    """Holds content under units of one class; moving it is a fresh unit per old one."""

    def __init__(self, world: World, data_class: DataClass) -> None:
        self._world, self._data_class = world, data_class
        self.moved: dict[bytes, bytes] = {}

    def covers(self, data_class: str, period: str) -> bool:
        del period
        return data_class == self._data_class.value

    def beside(self, tenant: str, subject: str) -> list[bytes]:
        del tenant, subject
        return []

    def reencrypt(self, tenant: str, subject: str, unit: bytes) -> int:
        if unit in self.moved:
            return 0
        self._world.tree.key(unit, Use.REENCRYPTION)
        self.moved[unit] = self._world.tree.own_unit(tenant, subject, self._data_class).id
        return 1


def _states(world: World, table: str) -> dict[str, int]:
    with world.database.read() as connection:
        return {
            str(row[0]): row[1] for row in connection.execute(text(f"SELECT state, count(*) FROM {table} GROUP BY 1"))
        }


def test_compromised_units_open_for_moving_only_and_end_destroyed_compromised(world: World) -> None:
    made, (other,) = world.own("ten_a", "usr_a", 3), world.own("ten_b", "usr_a")
    ids = [one.key.id for one in made]
    world.tree.mark_compromised(ids, "lost-laptop")
    world.tree.mark_compromised(ids, "lost-laptop")
    for use in (Use.PRODUCT, Use.PRIVACY):
        with pytest.raises(Conflict) as refusal:
            world.reopen().key(ids[0], use)
        assert refusal.value.code == "key-compromised"
    assert world.tree.key(ids[0], Use.REENCRYPTION) == made[0].key
    assert world.tree.key(other.key.id) == other.key
    world.tree.destroy_units(ids)
    for use in Use:
        with pytest.raises(Gone):
            world.tree.key(ids[0], use)
    assert _states(world, "unit") == {"destroyed-compromised": 3, "active": 1}
    with pytest.raises(Gone):
        world.tree.mark_compromised(ids, "again")


def test_a_compromised_shared_unit_is_replaced_at_once(world: World) -> None:
    old = world.shared("ten_a", "usr_a", "2026-11")
    world.tree.mark_compromised([old.key.id], "lost-laptop")
    new = world.tree.unit("ten_a", "usr_a", DataClass.ACCOUNT, "2026-11")
    assert new.id != old.key.id
    assert world.tree.destroy_subject("ten_a", "usr_a").units == 1  # the compromised one was out of use


def test_an_incident_moves_everything_before_it_destroys(world: World) -> None:
    made = world.own("ten_a", "usr_a", 2) + world.own("ten_a", "usr_b")
    mover = Mover(world, USER)
    assert replaced(Incidents(world.tree, [mover], pause=lambda _: None), TENANT, "lost-laptop") == 3
    assert set(mover.moved) == {one.key.id for one in made}
    for new in mover.moved.values():
        world.tree.key(new)
    assert world.tree.verify() == 3


def test_an_incident_that_was_stopped_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.own("ten_a", "usr_a", 2)
    mover = Mover(world, USER)
    with monkeypatch.context() as patch:
        patch.setattr(world.tree, "destroy_units", lambda _: (_ for _ in ()).throw(Unavailable("Stopped.")))
        with pytest.raises(Unavailable):
            replaced(Incidents(world.tree, [mover], pause=lambda _: None), TENANT, "x")
    assert world.tree.key(made[0].key.id, Use.REENCRYPTION) == made[0].key
    assert replaced(Incidents(world.tree, [mover], pause=lambda _: None), TENANT, "x") == 2


def test_nothing_is_marked_when_its_content_cannot_be_moved(world: World) -> None:
    (unit,) = world.own("ten_a", "usr_a")
    account = world.shared("ten_a", "usr_a", "account")
    for movers in ([], [Mover(world, USER)]):
        with pytest.raises(Unavailable) as refusal:
            Incidents(world.tree, movers).begin(TENANT, "lost-laptop")
        assert refusal.value.code == "no-reencryption"
    assert [world.tree.key(one.key.id) for one in (unit, account)] == [unit.key, account.key]
    with pytest.raises(NotFound):
        Incidents(world.tree).begin(Scope.of_tenant("ten_none"), "x")


def test_compromised_roots_are_replaced_with_every_page(two_domains: World, small_pages: None) -> None:
    world = two_domains
    made = world.own("ten_a", "usr_a", 60)
    world.keep()
    stolen = world.tree._state.epochs.current().root
    proof = Incidents(world.tree).roots("lost-token")
    assert (proof.epoch_before, proof.epoch_after, proof.units) == (1, 2, 0)
    assert _states(world, "key_root") == {"destroyed-compromised": 2, "active": 2}
    assert [one.domain for one in proof.roots] == ["local-0", "local-1"]
    world.history.pages.clear()
    world.keep()  # with the root page key of before, nothing that is written from now on opens
    assert stolen.page.hex() not in {page for page in _pages(world)}
    assert [world.reopen().key(one.key.id) for one in made] == [one.key for one in made]
    assert world.tree.verify() == 60
    with pytest.raises(Invalid):
        Incidents(world.tree).roots("Free text")


def test_the_roots_in_force_are_never_among_the_compromised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash before the new epoch is in force leaves the old roots active: the start must not destroy them."""
    (unit,) = world.own("ten_a", "usr_a")
    monkeypatch.setattr(
        world.tree._state.epochs, "commit", lambda *_: (_ for _ in ()).throw(Unavailable("The power went."))
    )
    with pytest.raises(Unavailable):
        world.tree.replace_compromised_roots("lost-token")
    assert world.reopen().key(unit.key.id) == unit.key
    assert _states(world, "key_root") == {"active": 1, "destroyed": 1}


def _pages(world: World) -> list[str]:
    with world.database.read() as connection:
        return list(connection.execute(text("SELECT page FROM key_page")).scalars())
