"""The hold register: basis, approver and end are mandatory; who is held is stored as a digest."""

from __future__ import annotations

from typing import Any

import pytest

from troth.kernel.errors import Invalid, NotFound
from troth.vault import holds
from troth.vault.deadlines import DAY_MS
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


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
