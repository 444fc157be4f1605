"""Copies that an erasure does not reach are named: bundles of a tenant that moves, and backup places that are away."""

from __future__ import annotations

import pytest

from troth.kernel.ids import new_id
from troth.vault.bundles import ORIGIN, PACKED, packed
from troth.vault.certificate import Certificate, verify_certificate
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


class Places:
    """Two backup places, one of which does not answer."""

    def covered(self, before: int) -> list[str]:
        del before
        return ["bak_seen"]

    def made(self, before: int) -> list[int]:
        return [before - 2, before - 1]

    def away(self) -> list[str]:
        return ["place-2"]


def pack(world: VaultWorld, tenant: str = TENANT) -> str:
    """What the log says when a tenant is packed."""
    move = new_id("mov")
    facts = {"tenant": tenant, "count": 1, "jurisdiction": "us"}
    world.recorder.record(world.ground.entry(PACKED, tenant, move, ORIGIN, facts))  # type: ignore[arg-type]
    return move


def certified(world: VaultWorld, **members: object) -> Certificate:
    done = world.erase(**members)  # type: ignore[arg-type]
    return verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())


def test_bundles_that_may_hold_the_person_are_named(world: VaultWorld) -> None:
    world.keep()
    pack(world, OTHER)
    moves = [pack(world), pack(world)]
    certificate = certified(world)
    assert [(one.move, one.jurisdiction) for one in certificate.bundles] == [(move, "us") for move in moves]
    assert any("packed 2 times" in said for said in certificate.residual)
    assert certified(world, subject=BOB).bundles == certificate.bundles  # their account may have been packed


def test_an_object_that_came_later_is_in_no_bundle(world: VaultWorld) -> None:
    old = world.keep()
    world.clock.forward(minutes=1)
    pack(world)
    world.clock.forward(minutes=1)
    young = world.keep()
    assert certified(world, object_id=young.id).bundles == []
    assert len(certified(world, object_id=old.id).bundles) == 1


def test_a_tenant_without_a_log_was_never_packed(world: VaultWorld) -> None:
    assert packed(world.database, "ten_unknown") == []


@pytest.mark.parametrize("of_object", [True, False])
def test_a_backup_place_that_is_away_is_named_as_not_covered(world: VaultWorld, of_object: bool) -> None:
    object.__setattr__(world.witnesses, "backups", Places())
    kept = world.keep()
    certificate = certified(world, object_id=kept.id if of_object else None, subject=ANN)
    assert (certificate.backups_covered.identifiers, certificate.backups_away) == (["bak_seen"], ["place-2"])
    assert any("did not answer: place-2" in said for said in certificate.residual)
