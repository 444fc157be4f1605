"""What a key's owner is told of its end."""

from __future__ import annotations

import pytest

from troth.identity.keys import ApiKeys, NewKey
from unit.identity.world import TLS, Person, World

DAY = 24 * 3600 * 1000


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.tenant().id, "member")


def state(world: World, ada: Person, keys: ApiKeys | None = None) -> str:
    return (keys or world.keys).list(ada.tenant, ada.id)[0].state


def test_a_week_before_its_end_it_ends_soon_and_then_has_ended(world: World, ada: Person) -> None:
    world.keys.create(NewKey(ada.tenant, ada.id, "n", frozenset({"generate"})))
    world.clock.forward(days=22, hours=23)
    assert state(world, ada) == "active"
    world.clock.forward(hours=1)
    assert state(world, ada) == "ends-soon"
    world.clock.forward(days=7)
    assert state(world, ada) == "ended"


def test_what_nobody_uses_ends_soon_too_and_lapses(world: World, ada: Person) -> None:
    token = world.keys.create(NewKey(ada.tenant, ada.id, "n", frozenset({"generate"}), 365)).token
    world.clock.forward(days=83)
    assert state(world, ada) == "ends-soon"
    world.keys.authenticate(token, TLS)
    assert state(world, ada) == "active"
    (shown,) = world.keys.list(ada.tenant, ada.id)
    assert shown.used_at is not None
    assert shown.lapses_at == shown.used_at + 90 * DAY
    world.clock.forward(days=90)
    assert state(world, ada) == "lapsed"


def test_a_replaced_key_says_so_until_it_has_ended(world: World, ada: Person) -> None:
    old = world.keys.create(NewKey(ada.tenant, ada.id, "n", frozenset({"generate"})))
    fresh = world.keys.rotate(ada.tenant, ada.id, old.id, 24)
    shown = {one.id: one for one in world.keys.list(ada.tenant, ada.id)}
    assert (shown[old.id].state, shown[old.id].replaced_by) == ("replaced", fresh.id)
    assert shown[fresh.id].state == "active"
    world.clock.forward(days=1)
    assert {one.id: one.state for one in world.keys.list(ada.tenant, ada.id)}[old.id] == "ended"
