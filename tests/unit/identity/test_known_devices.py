"""Known devices: remembered per person, for ninety days."""

from __future__ import annotations

from unit.identity.world import World


def test_a_device_is_known_to_its_person_only(world: World) -> None:
    tenant = world.tenant().id
    ada, eve = world.person(tenant), world.person(tenant)
    token = world.devices.remember(ada.id, None)
    assert world.devices.knows(ada.id, token)
    assert not world.devices.knows(eve.id, token)
    assert not world.devices.knows(ada.id, token + "x")


def test_a_known_device_keeps_its_token_and_a_forged_one_is_replaced(world: World) -> None:
    ada = world.person(world.tenant().id)
    token = world.devices.remember(ada.id, None)
    assert world.devices.remember(ada.id, token) == token
    assert world.devices.remember(ada.id, "forged") != "forged"


def test_it_is_forgotten_after_ninety_days(world: World) -> None:
    ada = world.person(world.tenant().id)
    token = world.devices.remember(ada.id, None)
    world.clock.forward(days=90)
    assert not world.devices.knows(ada.id, token)
    world.devices.remember(ada.id, None)
    world.clock.forward(days=-1)
    assert not world.devices.knows(ada.id, token)
