"""What a tenant wants of vendors: at once where it narrows, by two people where it loosens, gone with the tenant."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway_world import TENANT, World
from troth.gateway.models import ModelList
from troth.gateway.routing_operations import RoutingOperations
from troth.gateway.routing_policies import RoutingPolicies, policies, routing_holder
from troth.gateway.vendors.routing import ANYTHING, RoutingPolicy
from troth.gateway.wire.routing import DecideRouting, RoutingShown, SetRouting, ShowRouting
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied, NotFound
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.kernel.personal import FORGOTTEN
from troth.kernel.reasons import Why

ACME = RoutingPolicy(allow=("acme",))


class Town:
    def __init__(self, world: World) -> None:
        self.world = world
        self.fenced: list[str] = []
        self.policies = RoutingPolicies(world.database, world.clock, lambda _sql, tenant: self.fenced.append(tenant))
        self.operations = RoutingOperations(self.policies)

    def call(self, actor: str, *roles: str) -> Call:
        caller = Caller(actor, "user", TENANT, actor, roles=frozenset(roles or ("owner",)), jurisdiction="eu")
        return Call(caller, new_id("req"), self.world.clock.now())

    def set(self, policy: RoutingPolicy, actor: str = "usr_one", *roles: str) -> RoutingShown:
        return self.operations.set(self.call(actor, *roles), SetRouting(policy=policy, reason=Why.RULE))

    def decide(self, actor: str, approved: bool = True) -> RoutingShown:
        return self.operations.approve(self.call(actor), DecideRouting(approved=approved, reason=Why.CHECKED))


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def test_nothing_is_asked_until_somebody_does(town: Town) -> None:
    shown = town.operations.show(town.call("usr_one"), ShowRouting())
    assert (shown.policy, shown.set_at, shown.wished) == (ANYTHING, None, None)
    assert town.policies.of(TENANT) == ANYTHING


def test_what_narrows_holds_at_once(town: Town) -> None:
    assert town.set(ACME).wished is None
    assert town.policies.of(TENANT) == ACME
    assert town.policies.of("ten_other") == ANYTHING
    assert town.fenced == [TENANT]


def test_what_loosens_waits_for_somebody_else(town: Town) -> None:
    town.set(ACME)
    shown = town.set(ANYTHING)
    assert (shown.policy, shown.wished, shown.wished_by, shown.looser) == (ACME, ANYTHING, "usr_one", ("allow",))
    assert town.policies.of(TENANT) == ACME
    with pytest.raises(Denied) as refusal:
        town.decide("usr_one")
    assert refusal.value.code == "same-person"
    assert town.decide("usr_two").policy == ANYTHING
    assert town.policies.of(TENANT) == ANYTHING
    with pytest.raises(NotFound):
        town.decide("usr_two")


def test_it_can_be_put_away_and_a_narrower_wish_replaces_it(town: Town) -> None:
    town.set(ACME)
    town.set(ANYTHING)
    assert town.decide("usr_one", approved=False).wished is None
    town.set(ANYTHING)
    shown = town.set(RoutingPolicy(allow=("acme",), fallback=False))
    assert (shown.wished, shown.policy.fallback) == (None, False)
    with pytest.raises(NotFound):
        town.decide("usr_two")


def test_only_owners_say_so(town: Town) -> None:
    with pytest.raises(Denied) as refusal:
        town.set(ACME, "usr_one", "admin")
    assert refusal.value.code == "role-not-yours"
    assert town.policies.of(TENANT) == ANYTHING


def test_models_that_the_tenant_does_not_want_are_not_listed(town: Town) -> None:
    town.world.add_vendor("https://vendor.test/v1")
    models = ModelList(town.world.vendors, town.world.clock, town.policies)

    def names() -> set[Any]:
        return {one.owned_by for one in models.all(town.call("usr_one")).data}

    assert names() == {"acme", "local-studio"}
    town.set(RoutingPolicy(deny=("acme",)))
    assert names() == {"local-studio"}


def test_who_set_and_wished_is_forgotten_and_what_waits_is_still_decided(town: Town) -> None:
    town.set(ACME)
    assert town.set(ANYTHING, actor="usr_two").wished == ANYTHING
    holder = routing_holder(town.world.database)
    for who in ("usr_two", "usr_one"):
        holder.forget(TENANT, who)
    standing = town.policies.standing(TENANT)
    assert (standing.policy, standing.wished, standing.wished_by) == (ACME, ANYTHING, FORGOTTEN)
    with town.world.database.read() as connection:
        assert connection.execute(select(policies.c.set_by)).scalars().all() == [FORGOTTEN]
    assert town.policies.decide(TENANT, "usr_three", approved=True).policy == ANYTHING


def test_it_goes_with_the_tenant(town: Town) -> None:
    town.set(ACME)
    holder = routing_holder(town.world.database)
    assert (holder.holdings(TENANT, "usr_one"), holder.people(TENANT)) == ([], [])
    holder.forget(TENANT, "usr_one")
    assert town.policies.of(TENANT) == ACME
    assert holder.close(TENANT).identifiers == ("routing-policy",)
    assert town.policies.of(TENANT) == ANYTHING
    assert holder.close(TENANT).identifiers == ()
