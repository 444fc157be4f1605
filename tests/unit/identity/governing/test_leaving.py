"""Leavers: one operation ends all that a person has, and says what is left; movers keep nothing of before."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from troth.identity.governing.leaving import ENDS
from troth.identity.governing.store import break_glass
from troth.identity.keys import NewKey
from troth.identity.store import grants, passkeys, recovery_codes, sessions, totp
from troth.kernel.errors import Denied, NotFound, Unauthenticated
from unit.identity.governing.office import Office
from unit.identity.world import TLS


def test_everything_ends_at_once_and_what_is_left_is_said(office: Office) -> None:
    world, owner = office.world, office.as_(office.owner)
    office.left = {"objects": 3}
    office.ada = world.settled(office.tenant, "member")
    session = world.sign_in(office.ada).session.token
    key = world.keys.create(NewKey(office.tenant, office.ada.id, "k", frozenset({"generate"}))).token
    office.emergencies.designate(owner, office.ada.id, "admin", 30)
    office.ledger.ask(office.as_(office.ada), "auditor", 60, "for the audit")
    left = office.leaving.offboard(owner, office.ada.id)
    for token, door in ((session, world.sessions), (key, world.keys)):
        with pytest.raises(Unauthenticated):
            door.authenticate(token, TLS)
    assert (left.roles, left.remains) == (("member",), {"objects": 3, "service-accounts": 0})
    assert left.ended.keys() == {"elevations", *ENDS}
    wanted = {"elevations": 1, "roles": 1, "emergency-access": 1, "authenticators": 1, "api-keys": 1}
    assert {name: left.ended[name] for name in wanted} == wanted
    assert left.ended["sessions"] > 0
    with world.database.read() as connection:
        for table in (grants, sessions, totp, recovery_codes, passkeys, break_glass):
            assert connection.execute(select(table.c.user).where(table.c.user == office.ada.id)).all() == []
    with pytest.raises(Unauthenticated):
        world.sign_in(office.ada, code=None)
    assert set(office.leaving.offboard(owner, office.ada.id).ended.values()) == {0}


def test_who_may_offboard_whom(office: Office) -> None:
    admin, owner = office.world.person(office.tenant, "admin"), office.as_(office.owner)
    for by, user, code in (
        (owner, office.owner.id, "own-account"),
        (office.as_(admin), office.owner.id, "role-not-yours"),
        (office.as_(office.ada), admin.id, "role-not-yours"),
    ):
        with pytest.raises(Denied) as refusal:
            office.leaving.offboard(by, user)
        assert refusal.value.code == code
    stranger = office.world.person(office.world.tenant().id, "owner")
    with pytest.raises(NotFound):
        office.leaving.offboard(office.as_(stranger), office.ada.id)
    office.leaving.offboard(office.as_(admin), office.ada.id)
    assert office.world.users.get(office.ada.id).active is False


def test_the_last_owner_does_not_go_by_emergency_access(office: Office) -> None:
    office.emergencies.designate(office.as_(office.owner), office.ada.id, "owner", 30)
    office.emergencies.use(office.as_(office.ada, "passkey"), 60, "the building burns")
    with pytest.raises(Denied) as refusal:
        office.leaving.offboard(office.as_(office.ada), office.owner.id)
    assert refusal.value.code == "role-not-yours"


def test_a_mover_has_the_new_roles_and_none_of_the_old(office: Office) -> None:
    roles, owner = office.world.roles, office.as_(office.owner)
    roles.assign(owner, office.ada.id, "admin")
    made, gone = roles.replace(owner, office.ada.id, frozenset({"privacy-officer"}))
    assert ([one.role for one in made], gone) == (["privacy-officer"], ["admin", "member"])
    assert office.roles(office.ada) == {"privacy-officer"}


def test_who_may_move_whom(office: Office) -> None:
    roles, owner = office.world.roles, office.as_(office.owner)
    admin, bob = office.world.person(office.tenant, "admin"), office.world.person(office.tenant, "privacy-officer")
    for by, user, wanted in ((office.as_(admin), bob.id, "member"), (office.as_(admin), office.ada.id, "owner")):
        with pytest.raises(Denied) as refusal:
            roles.replace(by, user, frozenset({wanted}))
        assert refusal.value.code == "role-not-yours"
    with pytest.raises(Denied) as refusal:
        roles.replace(owner, office.owner.id, frozenset({"member"}))
    assert refusal.value.code == "own-role"
    assert (office.roles(bob), office.roles(office.ada)) == ({"privacy-officer"}, {"member"})
    second = office.world.person(office.tenant, "owner")
    roles.remove(office.as_(second), office.owner.id, "owner")
    with pytest.raises(NotFound):
        roles.replace(office.as_(second), bob.id, frozenset({"rol_" + "a" * 26}))
    assert office.roles(bob) == {"privacy-officer"}  # nothing was changed
