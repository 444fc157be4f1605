"""Break-glass: designated before, with a passkey, alone, for an hour, loudly, and judged by somebody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from troth.identity.governing.elevations import Elevation
from troth.identity.store import users
from troth.kernel.caller import Caller, Device
from troth.kernel.errors import Conflict, Denied, NotFound
from unit.identity.governing.office import DUE_DAYS, Office

WHY = "the building burns"


def strong(office: Office, age: int = 5) -> Caller:
    return office.as_(office.ada, "passkey", age)


def designated(office: Office, role: str = "owner", days: int = 30) -> None:
    office.emergencies.designate(office.as_(office.owner), office.ada.id, role, days)


def used(office: Office) -> Elevation:
    designated(office)
    return office.emergencies.use(strong(office), 60, WHY)


def test_a_designated_person_takes_the_role_alone_for_an_hour(office: Office) -> None:
    use = used(office)
    assert office.roles(office.ada) == {"member", "owner"}
    assert [(one.facts["user"], one.facts["role"]) for one in office.said("emergency.opened")] == [
        (office.ada.id, "owner")
    ]
    assert [(one.use.id, one.owners) for one in office.emergencies.notices()] == [(use.id, (office.owner.id,))]
    office.emergencies.told(use.id)
    assert office.emergencies.notices() == []
    office.world.clock.forward(minutes=60)
    assert office.roles(office.ada) == {"member"}


@pytest.mark.parametrize(("method", "age"), [("password+totp", 5), ("password+recovery", 5), ("passkey", 16 * 60)])
def test_without_a_fresh_passkey_nothing_opens(office: Office, method: str, age: int) -> None:
    designated(office)
    with pytest.raises(Denied) as refusal:
        office.emergencies.use(office.as_(office.ada, method, age), 60, WHY)
    assert refusal.value.code == "passkey-required"


def test_a_copied_session_takes_no_role(office: Office) -> None:
    designated(office)
    with pytest.raises(Denied) as refusal:
        office.emergencies.use(replace(office.as_(office.ada, "passkey"), device=Device()), 60, WHY)
    assert refusal.value.code == "device-unbound"
    assert office.roles(office.ada) == {"member"}


def test_without_a_designation_that_holds_nothing_opens(office: Office) -> None:
    def refused() -> str:
        with pytest.raises(Denied) as refusal:
            office.emergencies.use(strong(office), 60, WHY)
        return refusal.value.code

    assert refused() == "not-designated"
    designated(office, days=1)
    office.world.clock.forward(days=1)
    assert refused() == "not-designated"
    designated(office)
    office.emergencies.withdraw(office.as_(office.owner), office.ada.id)
    assert refused() == "not-designated"


def test_only_an_owner_designates_and_never_themselves(office: Office) -> None:
    admin = office.as_(office.world.person(office.tenant, "admin"))
    with pytest.raises(Denied) as refusal:
        office.emergencies.designate(admin, office.ada.id, "admin", 30)
    assert refusal.value.code == "owner-only"
    with pytest.raises(Denied) as refusal:
        office.emergencies.designate(office.as_(office.owner), office.owner.id, "owner", 30)
    assert refusal.value.code == "own-role"
    stranger = office.world.person(office.world.tenant().id, "member")
    with pytest.raises(NotFound):
        office.emergencies.designate(office.as_(office.owner), stranger.id, "owner", 30)
    assert office.emergencies.designated(office.tenant) == []


def test_what_was_taken_so_approves_nothing_and_is_no_last_owner(office: Office) -> None:
    bob = office.world.person(office.tenant, "member")
    used(office)
    office.world.clock.forward(minutes=1)
    asked = office.ledger.ask(office.as_(bob), "auditor", 60, "for the audit")
    office.world.clock.forward(minutes=1)
    with pytest.raises(Denied) as refusal:
        office.ledger.approve(office.as_(office.ada), asked.id)
    assert refusal.value.code == "role-not-yours"
    assert office.world.roles.deciding(office.tenant) == {office.owner.id}
    for act in (office.world.roles.remove, office.world.roles.assign):
        with pytest.raises(Denied) as refusal:
            act(office.as_(office.ada), office.owner.id, "owner")
        assert refusal.value.code == "role-not-yours"
    for leave in (office.world.users.disable, office.leaving.offboard):
        with pytest.raises(Denied):
            leave(office.as_(office.ada), office.owner.id)
    with pytest.raises(Denied) as refusal:
        office.emergencies.designate(office.as_(office.ada), bob.id, "owner", 1)
    assert refusal.value.code == "owner-only"


def test_it_is_judged_by_somebody_else_once_it_has_ended(office: Office) -> None:
    use = used(office)
    with pytest.raises(Conflict) as conflict:
        office.emergencies.review(office.as_(office.owner), use.id, "justified")
    assert conflict.value.code == "still-active"
    with pytest.raises(Denied) as refusal:
        office.emergencies.review(office.as_(office.ada), use.id, "justified")
    assert refusal.value.code == "own-act"
    office.ledger.end(office.as_(office.owner), use.id, own=False)
    assert office.roles(office.ada) == {"member"}
    assert [one.id for one in office.emergencies.open_uses(office.tenant)] == [use.id]
    judged = office.emergencies.review(office.as_(office.owner), use.id, "unjustified")
    assert (judged.verdict, judged.reviewed_by) == ("unjustified", office.owner.id)
    assert office.emergencies.open_uses(office.tenant) == []
    with pytest.raises(Conflict) as conflict:
        office.emergencies.review(office.as_(office.owner), use.id, "justified")
    assert conflict.value.code == "judged"


def test_what_nobody_judged_is_said_once_a_day(office: Office) -> None:
    use = used(office)
    office.world.clock.forward(hours=2)
    office.ledger.sweep()
    assert office.emergencies.warn() == 0
    office.world.clock.forward(days=DUE_DAYS)
    assert (office.emergencies.warn(), office.emergencies.warn()) == (1, 0)
    assert [(one.code, one.facts["object"]) for one in office.said("emergency.overdue")] == [("overdue", use.id)]
    office.world.clock.forward(days=1)
    assert office.emergencies.warn() == 1
    office.emergencies.review(office.as_(office.owner), use.id, "justified")
    office.world.clock.forward(days=1)
    assert office.emergencies.warn() == 0


def test_nobody_takes_another_before_the_last_was_judged(office: Office) -> None:
    use = used(office)
    office.world.clock.forward(hours=2)
    office.ledger.sweep()
    with pytest.raises(Conflict) as conflict:
        office.emergencies.use(strong(office), 60, WHY)
    assert (conflict.value.code, office.roles(office.ada)) == ("use-unreviewed", {"member"})
    office.emergencies.review(office.as_(office.owner), use.id, "justified")
    office.emergencies.use(strong(office), 60, WHY)


def test_an_owner_of_before_judges_it_or_whoever_owns_when_none_is_left(office: Office) -> None:
    use, other = used(office), office.world.person(office.tenant, "admin")
    office.world.clock.forward(hours=2)
    office.ledger.sweep()
    late = office.world.person(office.tenant, "owner")
    for who in (late, other):
        with pytest.raises(Denied) as refusal:
            office.emergencies.review(office.as_(who), use.id, "justified")
        assert refusal.value.code == "not-apart"
    office.world.users.disable(office.as_(late), office.owner.id)
    assert office.emergencies.review(office.as_(late), use.id, "unjustified").reviewed_by == late.id


def test_owners_stand_in_the_log_and_a_bell_that_nobody_hears_rings_on(office: Office) -> None:
    use = used(office)
    (said,) = office.said("emergency.opened")
    assert said.facts["counts"] == {office.owner.id: 1}
    with office.world.database.write() as connection:
        connection.execute(update(users).where(users.c.id == office.owner.id).values(active=False))
    assert office.emergencies.notices() == []
    with office.world.database.write() as connection:
        connection.execute(update(users).where(users.c.id == office.owner.id).values(active=True))
    assert [(one.use.id, one.owners) for one in office.emergencies.notices()] == [(use.id, (office.owner.id,))]


def test_duties_that_stand_apart_do_so_in_emergencies(office: Office) -> None:
    reviewing = office.custom.create(office.as_(office.owner), "reviewer", ["review"])
    designated(office, "admin")
    office.world.roles.assign(office.as_(office.owner), office.ada.id, reviewing.id)
    with pytest.raises(Conflict) as conflict:
        office.emergencies.use(strong(office), 60, WHY)
    assert conflict.value.code == "duties-apart"


def test_a_designation_ends_with_the_owner_who_made_it(office: Office) -> None:
    boss, admin = office.world.person(office.tenant, "owner"), office.world.person(office.tenant, "owner")
    designated(office)
    office.world.roles.remove(office.as_(boss), office.owner.id, "owner")
    with pytest.raises(Denied) as refusal:
        office.emergencies.use(strong(office), 60, WHY)
    assert refusal.value.code == "not-designated"
    office.emergencies.designate(office.as_(admin), office.ada.id, "owner", 30)
    office.leaving.offboard(office.as_(boss), admin.id)
    with pytest.raises(Denied):
        office.emergencies.use(strong(office), 60, WHY)
    office.emergencies.designate(office.as_(boss), office.ada.id, "owner", 30)
    office.emergencies.use(strong(office), 60, WHY)
