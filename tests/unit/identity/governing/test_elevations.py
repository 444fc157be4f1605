"""Elevation: asked with a reason, given by somebody who stands apart, ended by itself, never owning."""

from __future__ import annotations

import pytest

from troth.identity.governing.custom_roles import require_reviewer
from troth.identity.governing.elevations import ENDED, MOST_ASKED, REFUSED, Elevation, end_all
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound, TooMany, TrothError
from unit.identity.governing.office import Office

WHY = "the month end needs it"


def asked(office: Office, role: str = "auditor", minutes: int = 60) -> Elevation:
    made = office.ledger.ask(office.as_(office.ada), role, minutes, WHY)
    office.world.clock.forward(minutes=1)
    return made


def code_of(refused: pytest.ExceptionInfo[TrothError]) -> str:
    return refused.value.code


def test_a_role_is_given_for_its_time_and_ends_by_itself(office: Office) -> None:
    one = asked(office)
    assert office.roles(office.ada) == {"member"}
    given = office.ledger.approve(office.as_(office.owner), one.id)
    assert given.expires_at == office.ledger.now() + 60 * 60_000
    assert office.roles(office.ada) == {"member", "auditor"}
    office.world.clock.forward(minutes=59)
    assert office.roles(office.ada) == {"member", "auditor"}
    office.world.clock.forward(minutes=1)
    assert office.roles(office.ada) == {"member"}  # before any job ran
    assert office.ledger.sweep() == 1
    assert [(one.facts["role"], one.actor) for one in office.said("elevation.ended")] == [("auditor", "svc_access")]
    assert office.ledger.of(office.tenant, office.ada.id)[0].state == ENDED
    assert [one.role for one in office.world.roles.of(office.ada.id)] == ["member"]
    assert office.ledger.sweep() == 0


def test_nobody_lasts_longer_than_a_shift(office: Office) -> None:
    one = asked(office, minutes=10_000)
    given = office.ledger.approve(office.as_(office.owner), one.id)
    assert given.expires_at - office.ledger.now() == 8 * 3600 * 1000


def test_who_asks_does_not_approve(office: Office) -> None:
    world = office.world
    office.ada = world.person(office.tenant, "owner")
    world.clock.forward(minutes=1)
    one = asked(office)
    for act in (office.ledger.approve, office.ledger.refuse):
        with pytest.raises(Denied) as refusal:
            act(office.as_(office.ada), one.id)
        assert code_of(refusal) in ("not-apart", "own-elevation")
    assert office.roles(office.ada) == {"owner"}


def test_who_became_owner_later_or_by_the_one_who_asks_does_not_stand_apart(office: Office) -> None:
    world = office.world
    helper = world.person(office.tenant, "member")
    office.ada = world.person(office.tenant, "owner")
    world.clock.forward(minutes=1)
    world.roles.assign(office.as_(office.ada), helper.id, "owner")
    world.clock.forward(minutes=1)
    one = asked(office)
    late = world.person(office.tenant, "owner")
    for who in (helper, late):
        with pytest.raises(Denied) as refusal:
            office.ledger.approve(office.as_(who), one.id)
        assert code_of(refusal) == "not-apart"
    office.ledger.approve(office.as_(office.owner), one.id)


@pytest.mark.parametrize("role", ["admin", "auditor", "privacy-officer", "security-analyst"])
def test_who_is_no_owner_approves_nothing(office: Office, role: str) -> None:
    other = office.world.person(office.tenant, role)
    office.world.clock.forward(minutes=1)
    one = asked(office, "auditor" if role == "privacy-officer" else "privacy-officer")
    with pytest.raises(Denied):
        office.ledger.approve(office.as_(other), one.id)


def test_owning_is_not_lent_and_a_password_alone_asks_for_nothing(office: Office) -> None:
    for role in ("owner", "operator", "root"):
        with pytest.raises(Invalid):
            office.ledger.ask(office.as_(office.ada), role, 60, WHY)
    with pytest.raises(Denied) as refusal:
        office.ledger.ask(office.as_(office.ada, "password", assurance=1), "auditor", 60, WHY)
    assert code_of(refusal) == "second-factor-required"


def test_a_role_that_is_held_is_not_lent_and_its_end_stays(office: Office) -> None:
    with pytest.raises(Conflict) as refusal:
        asked(office, "member")
    assert code_of(refusal) == "role-held"
    one = asked(office)
    office.world.roles.assign(office.as_(office.owner), office.ada.id, "auditor")
    with pytest.raises(Conflict):
        office.ledger.approve(office.as_(office.owner), one.id)


def test_a_role_given_for_good_meanwhile_outlives_the_elevation(office: Office) -> None:
    one = asked(office)
    office.ledger.approve(office.as_(office.owner), one.id)
    office.world.clock.forward(minutes=5)
    office.world.roles.assign(office.as_(office.owner), office.ada.id, "auditor")
    office.world.clock.forward(minutes=60)
    office.ledger.sweep()
    assert office.roles(office.ada) == {"member", "auditor"}


def test_questions_lapse_are_withdrawn_and_refused(office: Office) -> None:
    first, second, third = asked(office, "auditor"), asked(office, "admin"), asked(office, "privacy-officer")
    assert office.ledger.refuse(office.as_(office.owner), first.id).state == REFUSED
    office.ledger.end(office.as_(office.ada), second.id, own=True)
    office.world.clock.forward(hours=25)
    for one in (first, second, third):
        with pytest.raises(Conflict) as refusal:
            office.ledger.approve(office.as_(office.owner), one.id)
        assert code_of(refusal) == "not-asked"
    assert office.roles(office.ada) == {"member"}


def test_few_questions_wait_at_a_time(office: Office) -> None:
    for _ in range(MOST_ASKED):
        asked(office)
    with pytest.raises(TooMany):
        asked(office)


def test_it_is_given_back_and_taken_back(office: Office) -> None:
    owner, other = office.as_(office.owner), office.as_(office.world.person(office.tenant, "member"))
    one = asked(office)
    office.ledger.approve(owner, one.id)
    with pytest.raises(NotFound):
        office.ledger.end(other, one.id, own=True)
    with pytest.raises(Denied):
        office.ledger.end(other, one.id, own=False)
    office.ledger.end(owner, one.id, own=False)
    assert office.roles(office.ada) == {"member"}
    with pytest.raises(Conflict) as refusal:
        office.ledger.end(owner, one.id, own=False)
    assert code_of(refusal) == "elevation-over"


def test_the_reason_is_sealed_and_gone_with_the_person(office: Office) -> None:
    asked(office)
    assert [one.reason for one in office.ledger.all_of(office.tenant)] == [WHY]
    office.world.fields.destroy(office.tenant, office.ada.id)
    assert [one.reason for one in office.ledger.all_of(office.tenant)] == [None]


def test_another_tenant_sees_and_ends_nothing(office: Office) -> None:
    one = asked(office)
    tenant = office.world.tenant().id
    stranger = office.as_(office.world.person(tenant, "owner"))
    assert office.ledger.all_of(tenant) == []
    for act in (office.ledger.approve, office.ledger.refuse):
        with pytest.raises(NotFound):
            act(stranger, one.id)
    with pytest.raises(NotFound):
        office.ledger.end(stranger, one.id, own=False)


def test_everything_of_a_person_ends_at_once(office: Office) -> None:
    one, _ = asked(office), asked(office, "admin")
    office.ledger.approve(office.as_(office.owner), one.id)
    with office.world.database.write() as connection:
        assert end_all(connection, office.ledger, office.ada.id, "usr_x") == 2
    assert office.roles(office.ada) == {"member"}


def test_a_role_of_some_hours_decides_about_nobody(office: Office) -> None:
    bob = office.world.person(office.tenant, "member")
    office.ledger.approve(office.as_(office.owner), asked(office, "admin").id)
    lent = office.as_(office.ada)
    assert (lent.lent, lent.given) == ({"admin"}, {"member"})
    question = office.ledger.ask(office.as_(bob), "auditor", 60, WHY)
    for act in (office.ledger.approve, office.ledger.refuse):
        with pytest.raises(Denied) as refusal:
            act(lent, question.id)
        assert code_of(refusal) == "role-not-yours"
    office.world.clock.forward(days=1)
    assert office.as_(office.ada).lent == frozenset()


def test_a_custom_role_of_some_hours_reviews_nobody(office: Office) -> None:
    reviewing = office.custom.create(office.as_(office.owner), "reviewer", ["review"])
    office.ledger.approve(office.as_(office.owner), asked(office, reviewing.id).id)
    with pytest.raises(Denied) as refusal:
        require_reviewer(office.as_(office.ada))
    assert code_of(refusal) == "role-not-yours"
    office.world.roles.assign(office.as_(office.owner), office.ada.id, reviewing.id)
    require_reviewer(office.as_(office.ada))
