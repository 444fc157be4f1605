"""Restriction of processing: on the fence and in the keys, by the person or an officer, and gone with the person."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict, Denied, Gone, Invalid, NotFound
from troth.keys.tree import Use
from troth.vault import ledger, store
from vault_world import ANN, BOB, OFFICER, OTHER, TENANT, VaultWorld


def restrict(world: VaultWorld, officer: str | None = None, reason: str = "accuracy-contested") -> object:
    return world.restrictions.place(TENANT, ANN, reason=reason, officer=officer, request="req_1")


def test_data_stays_and_is_not_used(world: VaultWorld) -> None:
    kept, his = world.keep(b"mine"), world.keep(b"his", subject=BOB)
    restrict(world)
    for use in (
        lambda: world.objects.open(TENANT, ANN, kept.id),
        lambda: world.objects.info(TENANT, ANN, kept.id),
        lambda: world.objects.list(TENANT, ANN),
        world.keep,
    ):
        with pytest.raises(Conflict) as refusal:
            use()
        assert refusal.value.code == "restricted"
    assert [content for _, content in world.holder.files(TENANT, ANN)] == [b"mine"]
    assert world.objects.open(TENANT, BOB, his.id)[1] == b"his"
    world.restrictions.lift(TENANT, ANN, officer=None, request="req_2")
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"mine"


def test_the_keys_are_suspended_too(world: VaultWorld) -> None:
    kept = world.keep()
    with world.database.read() as connection:
        (row,) = store.by_ids(connection, [kept.id])
    unit = bytes.fromhex(row.unit)
    restrict(world)
    with pytest.raises(Conflict):
        world.tree.key(unit)
    assert world.tree.key(unit, Use.PRIVACY)
    world.restrictions.lift(TENANT, ANN, officer=None, request="req_2")
    assert world.tree.key(unit)


def test_it_stands_once_and_is_told(world: VaultWorld) -> None:
    first = restrict(world)
    assert restrict(world, reason="another") == first
    assert world.restrictions.active(TENANT) == [first]
    assert world.restrictions.active(OTHER) == []
    with pytest.raises(Invalid):
        restrict(world, reason="Because!")
    (told,) = [one for one in world.holder.holdings(TENANT, ANN) if one.kind == "restriction"]
    assert told.content["reason"] == "accuracy-contested"


def test_what_an_officer_restricted_an_officer_resumes(world: VaultWorld) -> None:
    restrict(world, officer=OFFICER)
    with pytest.raises(Denied):
        world.restrictions.lift(TENANT, ANN, officer=None, request="req_2")
    world.restrictions.lift(TENANT, ANN, officer=OFFICER, request="req_3")
    with pytest.raises(NotFound):
        world.restrictions.lift(TENANT, ANN, officer=OFFICER, request="req_4")


def test_a_restricted_person_can_delete_and_be_forgotten(world: VaultWorld) -> None:
    one, two = world.keep(), world.keep()
    restrict(world)
    world.objects.delete(TENANT, ANN, one.id)
    done = world.erase()
    assert done.state == ledger.DONE
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, two.id)
    assert world.restrictions.history(TENANT, ANN) == []
    with pytest.raises(Gone):
        restrict(world)


@pytest.mark.parametrize("whose", ["own", "shown", "copy"])
def test_the_sweep_leaves_restricted_data_until_it_is_resumed(world: VaultWorld, whose: str) -> None:
    if whose == "own":
        kept = [world.keep()]
    elif whose == "shown":
        kept = [world.keep(subject=BOB, shown=(ANN,))]
    else:
        source = world.keep(subject=BOB, owners=(ANN,))
        kept = [source, world.keep(derived_from=(source.id,))]
    other = world.keep(tenant=OTHER)
    restrict(world, reason="legal-claims")
    world.clock.forward(days=31)
    swept = world.retention.sweep()
    assert (swept.ended, set(swept.held)) == (1, {one.id for one in kept})
    assert world.retention.neglected() == []
    if whose == "own":
        assert world.objects.open(TENANT, ANN, kept[0].id, duty=True)[1] == b"content"
    with pytest.raises(Gone):
        world.objects.open(OTHER, ANN, other.id, duty=True)
    world.restrictions.lift(TENANT, ANN, officer=None, request="req_2")
    assert world.retention.sweep().ended == len(kept)
