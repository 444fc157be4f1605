"""Auditors for a time: who lets them in, when it ends, and that their sessions end with it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import update

from troth.identity.auditors import Auditors
from troth.identity.store import grants
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Denied, IntegrityError, NotFound, Unauthenticated
from unit.identity.world import TLS, World


@pytest.fixture
def auditors(world: World) -> Auditors:
    return Auditors(world.database, world.roles, world.clock)


def roles(world: World, token: str) -> frozenset[str]:
    return world.sessions.authenticate(token, TLS).roles


def test_access_begins_and_ends_by_itself(world: World, auditors: Auditors) -> None:
    tenant = world.tenant().id
    owner, gail = world.caller(world.settled(tenant, "owner")), world.settled(tenant)
    made = auditors.grant(owner, gail.id, 3)
    assert made.expires_at - made.granted_at == 3 * 24 * 3600 * 1000
    assert [(one.user, one.granted_by) for one in auditors.list(tenant)] == [(gail.id, owner.actor)]
    world.clock.forward(days=3, seconds=-60)
    session = world.sign_in(gail).session.token
    assert roles(world, session) == {"auditor"}
    world.clock.forward(seconds=60)
    assert roles(world, session) == frozenset()
    assert auditors.list(tenant) == []
    assert auditors.sweep() == 2  # this one, and that of the first visit
    with pytest.raises(Unauthenticated):
        roles(world, session)
    assert auditors.sweep() == 0


def test_the_end_leaves_who_has_another_role(world: World, auditors: Auditors) -> None:
    tenant = world.tenant().id
    owner, mia = world.caller(world.settled(tenant, "owner")), world.settled(tenant, "member")
    auditors.grant(owner, mia.id, 1)
    world.clock.forward(days=1)
    session = world.sign_in(mia).session.token
    assert auditors.sweep() == 0
    assert roles(world, session) == {"member"}
    auditors.grant(owner, mia.id, 1)
    assert auditors.revoke(owner, mia.id) == 0
    assert roles(world, session) == {"member"}


def test_ended_at_once(world: World, auditors: Auditors) -> None:
    tenant = world.tenant().id
    owner, gail = world.caller(world.settled(tenant, "owner")), world.settled(tenant)
    auditors.grant(owner, gail.id, 90)
    session = world.sign_in(gail).session.token
    assert auditors.revoke(owner, gail.id) == 2  # this one, and that of the first visit
    with pytest.raises(Unauthenticated):
        roles(world, session)
    with pytest.raises(NotFound):
        auditors.revoke(owner, gail.id)


@pytest.mark.parametrize("role", ["member", "auditor", "privacy-officer"])
def test_who_may_not_let_anybody_in(world: World, auditors: Auditors, role: str) -> None:
    tenant = world.tenant().id
    giver, gail = world.caller(world.settled(tenant, role)), world.settled(tenant)
    for attempt in (lambda: auditors.grant(giver, gail.id, 1), lambda: auditors.revoke(giver, gail.id)):
        with pytest.raises(Denied):
            attempt()


def test_nobody_lets_themselves_in_or_people_of_other_tenants(world: World, auditors: Auditors) -> None:
    tenant = world.tenant().id
    admin = world.settled(tenant, "admin")
    stranger = world.settled(world.tenant("Other").id)
    with pytest.raises(Denied, match="themselves"):
        auditors.grant(world.caller(admin), admin.id, 1)
    for attempt in (auditors.grant, lambda giver, user, _days: auditors.revoke(giver, user)):
        with pytest.raises(NotFound):
            attempt(world.caller(admin), stranger.id, 1)


def test_no_road_makes_an_auditor_for_longer_than_ninety_days(world: World, auditors: Auditors) -> None:
    tenant = world.tenant().id
    owner, gail = world.caller(world.settled(tenant, "owner")), world.settled(tenant, "auditor")
    day = 24 * 3600 * 1000
    for made in (*world.roles.of(gail.id), world.roles.assign(owner, gail.id, "auditor")):
        assert made.expires_at - made.granted_at == 90 * day
    with world.database.write() as connection:  # as it was given before there was a limit
        connection.execute(update(grants).values(expires_at=grants.c.granted_at + 365 * day))
    auditors.sweep()
    (kept,) = world.roles.of(gail.id)
    assert kept.expires_at - kept.granted_at == 90 * day


def test_a_room_of_before_the_role_was_given_does_not_end_it(world: World, auditors: Auditors) -> None:
    """Who comes back for the next audit waits for the next room as long as the role was given for."""
    tenant = world.tenant().id
    gail = world.settled(tenant, "room-auditor")
    (given,) = world.roles.of(gail.id)
    assert auditors.end_with_rooms(lambda _: {gail.id: given.granted_at - 1}) == 0
    assert auditors.end_with_rooms(lambda _: {}) == 0
    assert world.roles.of(gail.id) == [given]
    world.clock.forward(days=1)
    assert auditors.end_with_rooms(lambda _: {gail.id: given.granted_at}) == 1
    assert world.roles.of(gail.id) == []


def test_a_tenant_whose_rooms_cannot_be_read_keeps_no_other_waiting(world: World, auditors: Auditors) -> None:
    names = [world.tenant(name).id for name in ("One", "Two", "Three")]
    people = {tenant: world.settled(tenant, "room-auditor").id for tenant in names}
    world.clock.forward(days=1)
    now, broken = epoch_ms(world.clock.now()), sorted(names)[1]

    def lasting(tenant: str) -> Mapping[str, int]:
        if tenant == broken:
            raise IntegrityError("Somebody altered it.", code="register-chain")
        return {people[tenant]: now}

    with pytest.raises(IntegrityError):
        auditors.end_with_rooms(lasting)
    assert [tenant for tenant in names if world.roles.of(people[tenant])] == [broken]
