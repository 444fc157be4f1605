"""Privacy settings: whoever is new is private (promise GOV-16)."""

from __future__ import annotations

import pytest

from troth.identity.privacy import PRIVATE, SETTINGS
from troth.kernel.errors import Invalid
from unit.identity.world import World


def test_a_fresh_tenant_and_a_fresh_person_are_at_the_most_private_values(world: World) -> None:
    tenant = world.tenant()
    person = world.person(tenant.id)
    for owner in (tenant.id, person.id):
        assert world.privacy.of(owner) == {name: values[0] for name, values in SETTINGS.items()}


def test_the_private_values_are_the_closed_ones() -> None:
    assert PRIVATE == {
        "training": "off",
        "sharing": "off",
        "retention": "shortest",
        "content-in-logs": "off",
        "analytics": "off",
    }


def test_a_choice_is_kept_for_its_owner_only_and_can_be_taken_back(world: World) -> None:
    world.privacy.change("usr_a", "training", "by-consent")
    assert world.privacy.of("usr_a")["training"] == "by-consent"
    assert world.privacy.of("usr_b") == PRIVATE
    world.privacy.change("usr_a", "training", "off")
    assert world.privacy.of("usr_a") == PRIVATE


@pytest.mark.parametrize(("name", "value"), [("training", "on"), ("content-in-logs", "on"), ("made-up", "off")])
def test_what_does_not_exist_is_refused(world: World, name: str, value: str) -> None:
    with pytest.raises(Invalid):
        world.privacy.change("usr_a", name, value)
    assert world.privacy.of("usr_a") == PRIVATE
