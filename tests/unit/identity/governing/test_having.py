"""Who has what and why: reasons are sealed, the last use is the newest of anything that a person used."""

from __future__ import annotations

import pytest

from troth.identity.governing.reasons import GRANT
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import NotFound
from unit.identity.governing.office import Office

WHY = "keeps the books"


def test_each_grant_has_its_giver_reason_and_last_use(office: Office) -> None:
    world, owner = office.world, office.as_(office.owner)
    sealed = world.reasons.sealed(office.tenant, office.ada.id, WHY)
    world.roles.assign(owner, office.ada.id, "admin", days=7, reason=sealed)
    asked = office.ledger.ask(office.as_(office.ada), "auditor", 60, "for the audit")
    world.clock.forward(minutes=10)
    office.ledger.approve(office.as_(office.owner), asked.id)
    found = {one.role: one for one in office.having.of(office.tenant) if one.user == office.ada.id}
    assert {role: (one.reason, one.lent) for role, one in found.items()} == {
        "admin": (WHY, False),
        "auditor": ("for the audit", True),
        "member": (None, False),
    }
    assert found["admin"].granted_by == office.owner.id
    assert found["admin"].expires_at - found["admin"].granted_at == 7 * 24 * 3600 * 1000
    assert found["member"].used_at == epoch_ms(world.clock.now()) - 10 * 60_000


def test_one_who_never_came_has_no_last_use(office: Office) -> None:
    assert [one.used_at for one in office.having.of(office.tenant)] == [None, None]
    office.world.settled(office.tenant, "auditor")
    assert [one.used_at is None for one in office.having.of(office.tenant) if one.role == "auditor"] == [False]


def test_a_reason_is_sealed_for_people_of_the_tenant_only(office: Office) -> None:
    stranger = office.world.person(office.world.tenant().id, "member")
    for user in (stranger.id, "usr_nobody"):
        with pytest.raises(NotFound):
            office.world.reasons.sealed(office.tenant, user, WHY)
    sealed = office.world.reasons.sealed(office.tenant, office.ada.id, WHY)
    assert WHY.encode() not in sealed
    assert office.world.reasons.opened(office.tenant, office.ada.id, sealed, GRANT) == WHY
    office.world.fields.destroy(office.tenant, office.ada.id)
    assert office.world.reasons.opened(office.tenant, office.ada.id, sealed, GRANT) is None


def test_all_of_it_is_in_the_copy_of_the_person_and_goes_with_them(office: Office) -> None:
    world, owner = office.world, office.as_(office.owner)
    world.roles.assign(owner, office.ada.id, "admin", reason=world.reasons.sealed(office.tenant, office.ada.id, WHY))
    office.emergencies.designate(owner, office.ada.id, "owner", 30)
    office.ledger.ask(office.as_(office.ada), "auditor", 60, "for the audit")
    office.campaigns.open(office.tenant, office.owner.id)
    kinds = [one.kind for one in world.holder.holdings(office.tenant, office.ada.id)]
    assert {"role-reason", "elevation", "break-glass", "access-review"} <= set(kinds)
    world.holder.forget(office.tenant, office.ada.id)
    assert world.holder.holdings(office.tenant, office.ada.id) == []
    assert office.ledger.all_of(office.tenant) == []
    assert office.emergencies.designated(office.tenant) == []
