"""Roles: who may give and take which, never to oneself, never the last owner, never across tenants."""

from __future__ import annotations

import itertools

import pytest

from troth.identity.auditors import Auditors
from troth.identity.roles import TENANT_ROLES
from troth.identity.users import NewUser
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.kernel.ids import new_id
from unit.identity.world import Person, World

MAY_GIVE = {
    "owner": {"owner", "admin", "member", "auditor", "room-auditor", "privacy-officer", "security-analyst"},
    "admin": {"admin", "member", "auditor", "room-auditor"},
    "member": set[str](),
    "auditor": set[str](),
    "room-auditor": set[str](),
    "privacy-officer": set[str](),
    "security-analyst": set[str](),
}


@pytest.mark.parametrize("giver", MAY_GIVE)
def test_who_may_give_and_take_what(world: World, giver: str) -> None:
    tenant = world.tenant().id
    by, ada = world.caller(world.settled(tenant, giver)), world.person(tenant)
    world.person(tenant, "owner")
    given = set()
    for role in sorted(TENANT_ROLES):
        try:
            world.roles.assign(by, ada.id, role)
        except Denied as refusal:
            assert refusal.code == "role-not-yours"
            with pytest.raises(Denied):
                world.roles.remove(by, ada.id, role)
        else:
            given.add(role)
            assert role in {grant.role for grant in world.roles.of(ada.id)}
            world.roles.remove(by, ada.id, role)
    assert given == MAY_GIVE[giver]
    assert world.roles.of(ada.id) == []


@pytest.mark.parametrize("role", ["operator", "root", "", "Owner"])
def test_roles_that_do_not_exist_in_a_tenant(world: World, role: str) -> None:
    tenant = world.tenant().id
    owner, ada = world.caller(world.settled(tenant, "owner")), world.person(tenant)
    with pytest.raises(Invalid):
        world.roles.assign(owner, ada.id, role)


def test_nobody_gives_to_themselves(world: World) -> None:
    owner = world.settled(world.tenant().id, "owner")
    with pytest.raises(Denied) as refusal:
        world.roles.assign(world.caller(owner), owner.id, "auditor")
    assert refusal.value.code == "own-role"


def test_nobody_reaches_into_another_tenant(world: World) -> None:
    owner = world.caller(world.settled(world.tenant().id, "owner"))
    ada = world.person(world.tenant().id, "member")
    for change, role in itertools.product((world.roles.assign, world.roles.remove), ("member", "owner")):
        with pytest.raises(NotFound):
            change(owner, ada.id, role)
    assert [grant.role for grant in world.roles.of(ada.id)] == ["member"]


def test_the_last_owner_stays(world: World) -> None:
    tenant = world.tenant().id
    one, two = world.settled(tenant, "owner"), world.settled(tenant, "owner")
    by = world.caller(one)
    world.roles.remove(by, two.id, "owner")
    with pytest.raises(Conflict) as refusal:
        world.roles.remove(by, one.id, "owner")
    assert refusal.value.code == "last-owner"
    assert [grant.role for grant in world.roles.of(one.id)] == ["owner"]


def test_a_grant_names_its_giver_and_its_end_and_is_renewed(world: World) -> None:
    tenant = world.tenant().id
    owner, ada = world.caller(world.settled(tenant, "owner")), world.person(tenant)
    first = world.roles.assign(owner, ada.id, "member")
    assert (first.granted_by, first.expires_at - first.granted_at) == (owner.actor, 365 * 24 * 3600 * 1000)
    world.clock.forward(days=30)
    second = world.roles.assign(owner, ada.id, "member")
    assert world.roles.of(ada.id) == [second]
    assert second.expires_at > first.expires_at


def test_taking_what_nobody_has(world: World) -> None:
    tenant = world.tenant().id
    owner, ada = world.caller(world.settled(tenant, "owner")), world.person(tenant)
    with pytest.raises(NotFound) as refusal:
        world.roles.remove(owner, ada.id, "member")
    assert refusal.value.code == "role-not-found"


def _may_leave(world: World, tenant: str, subject: str, *leaving: str) -> None:
    with world.database.write() as connection:
        world.roles.check_may_leave(connection, tenant, subject, leaving)


def test_the_last_owner_stays_while_others_do(world: World) -> None:
    tenant = world.tenant().id
    first, member = world.settled(tenant, "owner"), world.person(tenant, "member")
    _may_leave(world, tenant, member.id)
    with pytest.raises(Conflict) as refusal:
        _may_leave(world, tenant, first.id)
    assert refusal.value.code == "last-owner"
    second = world.person(tenant, "owner")
    _may_leave(world, tenant, first.id)
    with pytest.raises(Conflict):
        _may_leave(world, tenant, first.id, second.id)
    world.users.disable(world.caller(first), second.id)
    with pytest.raises(Conflict):
        _may_leave(world, tenant, first.id)


def test_who_is_alone_may_leave(world: World) -> None:
    tenant = world.tenant().id
    owner, member = world.settled(tenant, "owner"), world.person(tenant, "member")
    world.person(world.tenant().id, "member")
    _may_leave(world, tenant, owner.id, member.id)
    world.users.disable(world.caller(owner), member.id)
    _may_leave(world, tenant, owner.id)


def test_an_approver_stands_apart_from_who_asked(world: World) -> None:
    tenant = world.tenant().id
    asker, giver = world.settled(tenant, "owner"), world.caller(world.settled(tenant, "owner"))
    made = world.person(tenant, "privacy-officer")
    plain = world.person(tenant)
    by_asker = world.person(tenant)
    world.roles.assign(world.caller(asker), by_asker.id, "privacy-officer")
    by_provider = world.person(tenant)
    with world.database.write() as connection:
        world.roles.grant(connection, by_provider.id, "privacy-officer", new_id("sso"))
    world.clock.forward(seconds=1)
    since = epoch_ms(world.clock.now())
    late, raised = world.person(tenant, "privacy-officer"), world.person(tenant)
    world.roles.assign(giver, plain.id, "privacy-officer")
    world.roles.assign(giver, raised.id, "owner")
    with world.database.read() as connection:
        apart = {
            one
            for one in (asker.id, giver.actor, made.id, plain.id, by_asker.id, by_provider.id, late.id, raised.id)
            if world.roles.stands_apart(connection, one, asker.id, since)
        }
    assert apart == {giver.actor, made.id}


def test_nothing_is_given_for_longer_than_the_giver_has(world: World) -> None:
    tenant = world.tenant().id
    owner, ada, bob = world.caller(world.settled(tenant, "owner")), world.settled(tenant), world.person(tenant)
    mine = world.roles.assign(owner, ada.id, "admin", days=2)
    by = world.caller(ada)
    assert world.roles.assign(by, bob.id, "member").expires_at == mine.expires_at
    (made,) = world.roles.replace(by, bob.id, frozenset({"auditor"}))[0]
    assert made.expires_at == mine.expires_at
    fresh = NewUser(tenant, "eve@example.org", "Eve", frozenset({"admin"}), by.actor, giver=by)
    assert [one.expires_at for one in world.roles.of(world.users.create(fresh).id)] == [mine.expires_at]
    auditors = Auditors(world.database, world.roles, world.clock)
    assert auditors.grant(by, bob.id, 90).expires_at == mine.expires_at
    world.clock.forward(days=2)
    with pytest.raises(Denied) as refusal:
        world.roles.assign(by, bob.id, "member")
    assert refusal.value.code == "role-not-yours"


def test_who_owns_for_an_hour_gives_for_that_hour(world: World) -> None:
    tenant = world.tenant().id
    ada, bob = world.settled(tenant), world.person(tenant)
    with world.database.write() as connection:
        mine = world.roles.grant(connection, ada.id, "owner", new_id("elv"), lasting_ms=3_600_000)
    by = world.caller(ada)
    assert world.roles.assign(by, bob.id, "admin").expires_at == mine.expires_at
    with pytest.raises(Denied):
        world.roles.assign(by, bob.id, "owner")


def test_who_was_made_by_whom_the_asker_made_does_not_stand_apart(world: World) -> None:
    tenant = world.tenant().id
    mallory, eve, sock, officer = (world.settled(tenant, *has) for has in (("owner",), (), (), ()))
    founder = world.person(tenant, "owner")
    for giver, made, role in ((mallory, eve, "owner"), (eve, sock, "owner"), (sock, officer, "privacy-officer")):
        world.roles.assign(world.caller(giver), made.id, role)
    world.clock.forward(seconds=1)

    def apart(one: Person, asker: Person) -> bool:
        with world.database.read() as connection:
            return world.roles.stands_apart(connection, one.id, asker.id, epoch_ms(world.clock.now()))

    assert not any(apart(officer, one) for one in (mallory, eve, sock))
    assert [apart(officer, founder), apart(founder, officer), apart(mallory, officer)] == [True] * 3
    world.roles.assign(world.caller(sock), eve.id, "owner")  # a circle ends, and hides nobody who stands in it
    world.clock.forward(seconds=1)
    assert [apart(officer, eve), apart(officer, founder)] == [False, True]
