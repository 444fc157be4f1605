"""Suspending, resuming and rotating: what opens, what protects, for whom."""

from __future__ import annotations

import pytest

from key_world import World
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, Invalid, NotFound
from troth.keys.lifecycle import DAY_MS
from troth.keys.tree import Reason, Scope, UnitRequest, Use

ACCOUNT, USER = DataClass.ACCOUNT, DataClass.USER_GENERATED
PERSON = Scope.of_subject("ten_a", "usr_a")


def _suspended(world: World, unit: bytes) -> None:
    with pytest.raises(Conflict) as refusal:
        world.tree.key(unit)
    assert refusal.value.code == "key-suspended"


@pytest.mark.parametrize("scope", ["unit", "subject", "tenant"])
def test_a_suspended_scope_opens_for_the_privacy_team_only(world: World, scope: str) -> None:
    (unit,), (other,) = world.own("ten_a", "usr_a"), world.own("ten_b", "usr_a")
    covers = {"unit": Scope.of_units([unit.key.id]), "subject": PERSON, "tenant": Scope.of_tenant("ten_a")}[scope]
    assert world.tree.key(unit.key.id) == unit.key  # cached: the suspension must reach the cache
    world.tree.suspend(covers)
    world.tree.suspend(covers)
    for tree in (world.tree, world.reopen()):
        _suspended(world, unit.key.id)
        assert tree.key(unit.key.id, Use.PRIVACY) == unit.key
        assert tree.key(other.key.id) == other.key
        with pytest.raises(Conflict):
            tree.key(unit.key.id, Use.REENCRYPTION)
    world.tree.resume_use(covers)
    world.tree.resume_use(covers)
    assert world.tree.key(unit.key.id) == unit.key


def test_a_suspended_person_gets_no_key_but_their_account(world: World) -> None:
    account = world.shared("ten_a", "usr_a", "account")
    world.tree.suspend(PERSON)
    with pytest.raises(Conflict) as refusal:
        world.tree.own_unit("ten_a", "usr_a", USER)
    assert refusal.value.code == "key-suspended"
    with pytest.raises(Conflict):
        world.tree.unit("ten_a", "usr_a", USER, "2026-11")
    assert world.tree.key(account.key.id) == account.key
    assert world.tree.unit("ten_a", "usr_a", ACCOUNT, "account") == account.key
    world.own("ten_a", "usr_b")


def test_a_suspended_shared_unit_is_not_given_out_for_protecting(world: World) -> None:
    shared = world.shared("ten_a", "usr_a", "account")
    world.tree.suspend(Scope.of_units([shared.key.id]))  # named by itself, the account too
    with pytest.raises(Conflict):
        world.tree.unit("ten_a", "usr_a", ACCOUNT, "account")


def test_several_suspensions_end_one_by_one(world: World) -> None:
    (unit,) = world.own("ten_a", "usr_a")
    world.tree.suspend(PERSON, Reason.RESTRICTION)
    world.tree.suspend(PERSON, Reason.LEGAL_HOLD)
    world.tree.resume_use(PERSON)
    _suspended(world, unit.key.id)
    world.tree.resume_use(PERSON, Reason.LEGAL_HOLD)
    assert world.tree.key(unit.key.id) == unit.key


@pytest.mark.parametrize("held", ["unit", "subject", "tenant"])
@pytest.mark.parametrize("erased", ["unit", "subject", "tenant"])
def test_nothing_under_a_legal_hold_is_erased(world: World, held: str, erased: str) -> None:
    (unit,), (other,) = world.own("ten_a", "usr_a"), world.own("ten_a", "usr_b")
    scopes = {"unit": Scope.of_units([unit.key.id]), "subject": PERSON, "tenant": Scope.of_tenant("ten_a")}
    world.tree.suspend(scopes[held], Reason.LEGAL_HOLD)
    with pytest.raises(Conflict) as refusal:
        world.tree.revoke(scopes[erased])
    assert refusal.value.code == "key-on-hold"
    assert world.tree.key(unit.key.id, Use.PRIVACY) == unit.key
    if held != "tenant":
        assert world.tree.destroy_units([other.key.id]).units == 1
    world.tree.resume_use(scopes[held], Reason.LEGAL_HOLD)
    assert world.tree.destroy_tenant("ten_a").units >= 1


def test_an_erasure_ends_a_restriction(world: World) -> None:
    (unit,) = world.own("ten_a", "usr_a")
    world.tree.suspend(PERSON)
    assert world.tree.destroy_subject("ten_a", "usr_a").units == 1
    for use in Use:
        with pytest.raises(Gone):
            world.tree.key(unit.key.id, use)
    with pytest.raises(Gone):
        world.tree.suspend(PERSON)


def test_what_cannot_be_suspended_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        world.tree.suspend(Scope.of_units([bytes(16)]))
    with pytest.raises(Invalid):
        world.tree.suspend(Scope())
    for reason in ("", "Free text", "x" * 33, "usr_a@example.org"):
        with pytest.raises(Invalid):
            world.tree.suspend(PERSON, reason)


@pytest.mark.parametrize("scope", ["unit", "subject", "tenant"])
def test_a_rotated_unit_opens_and_the_next_generation_protects(world: World, scope: str) -> None:
    old = world.shared("ten_a", "usr_a", "2026-11")
    own, other = world.own("ten_a", "usr_a")[0], world.shared("ten_b", "usr_a", "2026-11")
    scopes = {"unit": Scope.of_units([old.key.id]), "subject": PERSON, "tenant": Scope.of_tenant("ten_a")}
    for generation in (2, 3):
        world.tree.rotate_units(scopes[scope])
        new = world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11")
        assert new.generation == generation
        assert new.id != old.key.id
        assert new.key != old.key.key
        assert world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11") == new
        scopes["unit"] = Scope.of_units([new.id])
    for tree in (world.tree, world.reopen()):
        assert [tree.key(one.key.id) for one in (old, own)] == [old.key, own.key]
        assert tree.unit("ten_b", "usr_a", ACCOUNT, "2026-11") == other.key
    assert world.tree.destroy_subject("ten_a", "usr_a").units == 4
    with pytest.raises(Gone):
        world.tree.key(old.key.id)


def test_a_deactivated_unit_can_be_suspended_and_destroyed(world: World) -> None:
    old = world.shared("ten_a", "usr_a", "2026-11")
    world.tree.rotate_units(PERSON)
    world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11")
    world.tree.suspend(Scope.of_units([old.key.id]))
    _suspended(world, old.key.id)
    assert world.tree.destroy_units([old.key.id]).units == 1
    with pytest.raises(Gone):
        world.tree.key(old.key.id)
    with pytest.raises(Gone):
        world.tree.rotate_units(Scope.of_units([old.key.id]))


def test_a_unit_past_its_cryptoperiod_is_replaced_when_it_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.shared("ten_a", "usr_a", "2026-11")
    epochs, days = world.tree._state.epochs, world.tree._state.periods.unit_days
    now = epochs.now()
    monkeypatch.setattr(epochs, "now", lambda: now + days * DAY_MS + 1)
    world.tree._state.forget()
    requests = [UnitRequest("ten_a", "usr_a", ACCOUNT, "2026-11")] * 2
    new, same = world.tree.units(requests)
    assert new == same
    assert new.generation == 2
    assert world.tree.key(old.key.id) == old.key
    monkeypatch.setattr(epochs, "now", lambda: now - 3_600_000)  # a clock that went back replaces nothing
    world.tree._state.forget()
    assert world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11") == new
