"""Standing: what changes about a person holds for every credential from the next request on."""

from __future__ import annotations

import pytest

from troth.identity.keys import NewKey
from troth.identity.sessions import Proof
from troth.kernel.errors import Unauthenticated
from unit.identity.world import TLS, World


def test_roles_come_and_go_without_a_new_sign_in(world: World) -> None:
    tenant = world.tenant().id
    owner, ada = world.caller(world.settled(tenant, "owner")), world.settled(tenant, "member")
    token = world.sign_in(ada).session.token
    key = world.keys.create(NewKey(tenant, ada.id, "n", frozenset({"generate"}))).token
    assert world.sessions.authenticate(token, TLS).roles == {"member"}
    world.roles.remove(owner, ada.id, "member")
    assert world.sessions.authenticate(token, TLS).roles == frozenset()
    assert world.keys.authenticate(key, TLS).roles == frozenset()
    world.roles.assign(owner, ada.id, "auditor")
    assert world.sessions.authenticate(token, TLS).roles == {"auditor"}


def test_a_grant_lapses_by_itself(world: World) -> None:
    ada = world.settled(world.tenant().id, "member")
    world.clock.forward(days=365)
    assert world.caller(ada).roles == frozenset()


def test_a_disabled_person_has_no_credential_left(world: World) -> None:
    tenant = world.tenant().id
    owner, ada = world.caller(world.settled(tenant, "owner")), world.settled(tenant, "member")
    token = world.sign_in(ada).session.token
    key = world.keys.create(NewKey(tenant, ada.id, "n", frozenset({"generate"}))).token
    world.users.disable(owner, ada.id)
    with pytest.raises(Unauthenticated):
        world.sessions.authenticate(token, TLS)
    with pytest.raises(Unauthenticated):
        world.keys.authenticate(key, TLS)
    with pytest.raises(Unauthenticated):
        world.sign_in(ada)


def test_an_operator_stands_outside_every_tenant(world: World) -> None:
    made = world.bootstrap.operator("op@example.org", "eu")
    opened = world.sessions.open(made.user, Proof("password+totp", 2), "public")
    caller = world.sessions.authenticate(opened.token, TLS)
    assert (caller.kind, caller.tenant, caller.roles) == ("operator", None, {"operator"})
