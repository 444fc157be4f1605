"""Tenants: created with a jurisdiction that stays; the operators' row never among them."""

from __future__ import annotations

import pytest

from troth.identity.tenants import JURISDICTIONS, Tenants
from troth.kernel.errors import Invalid, NotFound
from unit.identity.world import World


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_a_tenant_is_found_as_it_was_made(world: World, jurisdiction: str) -> None:
    made = world.tenants.create("Acme", jurisdiction)
    assert world.tenants.get(made.id) == made
    assert made.jurisdiction == jurisdiction


@pytest.mark.parametrize("jurisdiction", ["", "EU", "cn", "eu "])
def test_an_unknown_jurisdiction_is_refused(world: World, jurisdiction: str) -> None:
    with pytest.raises(Invalid):
        world.tenants.create("Acme", jurisdiction)
    assert world.tenants.list() == []


def test_nothing_changes_a_jurisdiction() -> None:
    assert {name for name in vars(Tenants) if not name.startswith("_")} == {
        "create",
        "fresh",
        "ensure_operators",
        "get",
        "list",
    }


def test_the_list_is_in_order_and_without_the_operators(world: World) -> None:
    first = world.tenants.create("B", "eu")
    world.clock.forward(seconds=1)
    second = world.tenants.create("A", "us")
    world.tenants.ensure_operators("eu")
    world.tenants.ensure_operators("us")
    assert world.tenants.list() == [first, second]
    assert world.tenants.get("operator").jurisdiction == "eu"


def test_an_unknown_tenant_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.tenants.get("ten_none")
