from __future__ import annotations

import pytest

from troth.identity.devices.proof import WINDOW_MS, Proof
from troth.identity.devices.spent import SpentProofs
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import TooMany, Unauthenticated
from unit.identity.world import World


def proof(world: World, jti: str, thumbprint: str = "key") -> Proof:
    return Proof(thumbprint, {}, jti, epoch_ms(world.clock.now()) // 1000 * 1000)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_proof_counts_once_for_its_key(world: World, method: str) -> None:
    spent = SpentProofs(world.database, world.clock)
    spent.spend(proof(world, "one"), method)
    spent.spend(proof(world, "two"), method)
    spent.spend(proof(world, "one", "another"), method)
    with pytest.raises(Unauthenticated):
        spent.spend(proof(world, "one"), method)


def test_what_changes_something_counts_once_for_all_instances(world: World) -> None:
    here, there = (SpentProofs(world.database, world.clock) for _ in range(2))
    here.spend(proof(world, "one"), "POST")
    with pytest.raises(Unauthenticated):
        there.spend(proof(world, "one"), "POST")


def test_what_was_signed_before_the_instance_began_is_refused(world: World) -> None:
    before = proof(world, "one")
    world.clock.forward(seconds=1)
    with pytest.raises(Unauthenticated):
        SpentProofs(world.database, world.clock).spend(before, "GET")


def test_one_key_does_not_use_up_what_all_share(world: World) -> None:
    spent = SpentProofs(world.database, world.clock, most_of_key=2)
    for name in ("one", "two"):
        spent.spend(proof(world, name), "GET")
    with pytest.raises(TooMany):
        spent.spend(proof(world, "three"), "GET")
    spent.spend(proof(world, "three", "another key"), "GET")
    world.clock.forward(seconds=WINDOW_MS // 1000 + 1)
    for name in ("four", "five"):
        spent.spend(proof(world, name), "GET")


def test_when_there_are_too_many_they_wait_and_none_is_forgotten(world: World) -> None:
    spent = SpentProofs(world.database, world.clock, most=2)
    kept = [proof(world, name) for name in ("one", "two")]
    for one in kept:
        spent.spend(one, "GET")
    with pytest.raises(TooMany):
        spent.spend(proof(world, "three"), "GET")
    with pytest.raises(Unauthenticated):
        spent.spend(kept[0], "GET")
    world.clock.forward(seconds=WINDOW_MS // 1000 + 1)
    spent.spend(proof(world, "three"), "GET")
