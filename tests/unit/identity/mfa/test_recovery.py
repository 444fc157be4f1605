"""Recovery codes: ten, random, one use each, bound to their person."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Unauthenticated
from unit.identity.world import World


def test_ten_codes_each_good_once(world: World) -> None:
    person = world.person(world.tenant().id)
    codes = world.recovery.renew(person.id)
    assert len(set(codes)) == 10
    for left, code in zip(range(9, -1, -1), codes, strict=True):
        world.recovery.use(person.id, code)
        assert world.recovery.left(person.id) == left
        with pytest.raises(Unauthenticated):
            world.recovery.use(person.id, code)


def test_they_are_read_however_they_are_typed(world: World) -> None:
    person = world.person(world.tenant().id)
    code = world.recovery.renew(person.id)[0]
    world.recovery.use(person.id, code.replace("-", " ").upper())


def test_another_persons_code_is_wrong(world: World) -> None:
    tenant = world.tenant().id
    ada, eve = world.person(tenant), world.person(tenant)
    code = world.recovery.renew(ada.id)[0]
    with pytest.raises(Unauthenticated) as refusal:
        world.recovery.use(eve.id, code)
    assert refusal.value.code == "recovery-wrong"
    assert world.recovery.left(ada.id) == 10


def test_renewal_ends_the_earlier_codes(world: World) -> None:
    person = world.person(world.tenant().id)
    old = world.recovery.renew(person.id)[0]
    world.recovery.renew(person.id)
    with pytest.raises(Unauthenticated):
        world.recovery.use(person.id, old)
