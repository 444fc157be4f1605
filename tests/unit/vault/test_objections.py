"""Objections: one stands for a purpose, another's cannot be lifted, the restricted keep the right."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict, Invalid, NotFound
from troth.vault.objections import PURPOSES, Objections, refuse_objected
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


def raised(world: VaultWorld, *purposes: str, subject: str = ANN) -> list[str]:
    with world.database.write() as connection:
        made = Objections(world.ground).insert(connection, TENANT, subject, purposes, source="portal", request="req_a")
    return [one.id for one in made]


def test_one_stands_for_each_purpose(world: VaultWorld) -> None:
    assert len(raised(world, *PURPOSES)) == len(PURPOSES)
    assert raised(world, *PURPOSES) == []
    assert Objections(world.ground).standing(TENANT, ANN) == frozenset(PURPOSES)
    assert Objections(world.ground).standing(TENANT, BOB) == frozenset()


def test_lifting_and_raising_again_leaves_history(world: VaultWorld) -> None:
    (first,) = raised(world, "sale")
    register = Objections(world.ground)
    world.clock.forward(seconds=1)
    lifted = register.lift(TENANT, ANN, first, request="req_b")
    assert register.lift(TENANT, ANN, first, request="req_c").lifted_at == lifted.lifted_at
    (second,) = raised(world, "sale")
    assert [one.id for one in register.history(TENANT, ANN)] == [second, first]


@pytest.mark.parametrize(("tenant", "subject"), [(TENANT, BOB), (OTHER, ANN)])
def test_those_of_others_do_not_exist(world: VaultWorld, tenant: str, subject: str) -> None:
    (one,) = raised(world, "training")
    with pytest.raises(NotFound):
        Objections(world.ground).lift(tenant, subject, one, request="req_b")
    with world.database.read() as connection, pytest.raises(Conflict):
        refuse_objected(connection, TENANT, ANN, "training")
    with world.database.read() as connection:
        refuse_objected(connection, tenant, subject, "training")


def test_only_known_purposes(world: VaultWorld) -> None:
    with pytest.raises(Invalid):
        raised(world, "breathing")
