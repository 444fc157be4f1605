"""Whom a tenant needs is not erased: refused without a trace, also when the need arose under a hold."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict
from troth.vault import ledger
from troth.vault.deadlines import DAY_MS
from vault_world import ANN, BOB, TENANT, VaultWorld


def test_whom_the_tenant_needs_is_not_erased(world: VaultWorld) -> None:
    world.guard.needed = {ANN}
    kept = world.keep(b"mine")
    with pytest.raises(Conflict) as refusal:
        world.erase()
    assert refusal.value.code == "last-owner"
    assert world.erasures.all(TENANT) == []
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"mine"
    world.guard.needed = {ANN, BOB}
    assert world.erase().state == ledger.DONE


def test_two_whom_the_tenant_needs_do_not_both_leave(world: VaultWorld) -> None:
    world.guard.needed = {ANN, BOB}
    world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=world.ground.now() + DAY_MS, subject=ANN)
    with pytest.raises(Conflict) as held:
        world.erase()
    assert held.value.code == "held"
    with pytest.raises(Conflict) as refusal:
        world.erase(subject=BOB)
    assert refusal.value.code == "last-owner", "the other one is leaving, only later"


def test_a_held_erasure_waits_when_the_person_is_needed_by_then(world: VaultWorld) -> None:
    hold = world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=world.ground.now() + DAY_MS, subject=ANN)
    with pytest.raises(Conflict):
        world.erase()
    world.holds.lift(TENANT, hold.id, actor=BOB)
    world.guard.needed = {ANN}
    assert [one.state for one in world.erasures.resume()] == [ledger.HELD]
    world.guard.needed = {ANN, BOB}
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE]
