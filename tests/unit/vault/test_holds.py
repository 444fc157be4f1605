"""The hold register: basis, approver and end are mandatory; who is held is stored as a digest."""

from __future__ import annotations

from typing import Any

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.vault import holds, ledger
from troth.vault.deadlines import DAY_MS
from troth.vault.dual_control import Control
from vault_world import ANN, BOB, OFFICER, OTHER, SECOND, TENANT, VaultWorld


@pytest.mark.parametrize(
    "members",
    [
        {"basis": "because I say so"},
        {"basis": ""},
        {"ends_at": 1},
        {"subject": None},
        {"of": "obj_a"},
    ],
)
def test_incomplete_holds_are_refused(world: VaultWorld, members: dict[str, Any]) -> None:
    values = {"basis": "tax-law", "approver": BOB, "ends_at": world.ground.now() + DAY_MS, "subject": ANN} | members
    with pytest.raises(Invalid):
        world.holds.place(TENANT, **values)
    assert world.holds.active(TENANT) == []


def test_active_until_lifted_or_over(world: VaultWorld) -> None:
    ends = world.ground.now() + DAY_MS
    one = world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=ends, subject=ANN)
    two = world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=ends, of=world.keep().id)
    assert {hold.id for hold in world.holds.active(TENANT)} == {one.id, two.id}
    assert world.holds.active(OTHER) == []
    lifted = world.holds.lift(TENANT, one.id, actor=BOB)
    assert world.holds.lift(TENANT, one.id, actor=BOB) == lifted
    assert [hold.id for hold in world.holds.active(TENANT)] == [two.id]
    world.clock.forward(days=1)
    assert world.holds.active(TENANT) == []


def test_other_tenants_cannot_lift(world: VaultWorld) -> None:
    ends = world.ground.now() + DAY_MS
    hold = world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=ends, subject=ANN)
    with pytest.raises(NotFound):
        world.holds.lift(OTHER, hold.id, actor=BOB)
    assert world.holds.active(TENANT) == [hold]


def test_the_held_person_is_a_digest(world: VaultWorld) -> None:
    world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=world.ground.now() + 1, subject=ANN)
    with world.database.read() as connection:
        assert ANN not in str(connection.execute(holds.holds.select()).all())


def held(world: VaultWorld, **members: Any) -> holds.Hold:
    ends = world.ground.now() + DAY_MS
    return world.holds.place(TENANT, basis="litigation", approver=SECOND, ends_at=ends, **members)


@pytest.mark.parametrize("which", ["person", "object", "shown"])
def test_nobody_lifts_a_hold_on_what_is_their_own(world: VaultWorld, which: str) -> None:
    kept = world.keep(shown=(OFFICER,)) if which == "shown" else world.keep(subject=OFFICER)
    hold = held(world, subject=OFFICER) if which == "person" else held(world, of=kept.id)
    with pytest.raises(Denied) as refusal:
        world.holds.lift(TENANT, hold.id, actor=OFFICER)
    assert refusal.value.code == "own-hold"
    assert world.holds.active(TENANT) == [hold]
    assert world.holds.lift(TENANT, hold.id, actor=SECOND).lifted_at is not None


def test_a_hold_binds_what_is_closed_for_a_delayed_erasure(world: VaultWorld) -> None:
    world.control = Control(approval_above=100, delay_minutes=60)
    world.build()
    kept = world.keep()
    world.clock.forward(seconds=5)
    now = world.ground.now()
    period = world.erasures.request_period(TENANT, DataClass.USER_GENERATED, now, actor=OFFICER, request="req_1")
    assert period.state == ledger.CLOSING
    held(world, of=kept.id)
    with pytest.raises(Conflict) as refusal:
        world.erase(ANN)
    assert refusal.value.code == "held"
    assert world.objects.open(TENANT, ANN, kept.id, duty=True)[1] == b"content"


def test_a_hold_on_a_copy_binds_who_is_shown_in_its_source(world: VaultWorld) -> None:
    source = world.keep(shown=(BOB,))
    copy = world.keep(derived_from=(source.id,))
    held(world, of=copy.id)
    with pytest.raises(Conflict) as refusal:
        world.erase(BOB)
    assert refusal.value.code == "held"
    assert world.objects.open(TENANT, ANN, copy.id)[1] == b"content"


def test_no_owner_leaves_what_is_held(world: VaultWorld) -> None:
    shared = world.keep(owners=(BOB,))
    held(world, of=shared.id)
    for owner in (ANN, BOB):
        with pytest.raises(Conflict) as refusal:
            world.objects.delete(TENANT, owner, shared.id)
        assert refusal.value.code == "held"
    assert world.objects.info(TENANT, BOB, shared.id).name == "note.txt"
