"""The probe against its known-bad control: a live object must make it fail."""

from __future__ import annotations

import pytest

from troth.kernel.errors import IntegrityError
from troth.vault import store
from troth.vault.probe import Probe
from vault_world import VaultWorld


def test_what_still_opens_is_reported(world: VaultWorld) -> None:
    kept = world.keep()
    with world.database.read() as connection:
        rows = store.by_ids(connection, [kept.id])
    probe = Probe(world.ground)
    with pytest.raises(IntegrityError) as refusal:
        probe.attempt(store.objects.c.id == kept.id)
    assert refusal.value.code == "erasure-failed"
    with pytest.raises(IntegrityError):
        probe._object_refused(rows[0])


def test_what_is_gone_is_counted(world: VaultWorld) -> None:
    kept = world.keep()
    with world.database.read() as connection:
        rows = store.by_ids(connection, [kept.id])
    world.tree.destroy_units([bytes.fromhex(rows[0].unit)])
    counts = Probe(world.ground).attempt(store.objects.c.id == kept.id)
    assert counts == {"keys_tried": 1, "keys_refused": 1, "objects_tried": 1, "objects_refused": 1}
