"""What is kept of a tenant itself meets the erasure of the tenant."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict, Gone
from troth.vault import fences
from troth.vault.ground import tenant_digest
from vault_world import ANN, OTHER, TENANT, VaultWorld


def test_a_tenant_that_is_erased_is_refused_and_no_other(world: VaultWorld) -> None:
    world.erase(subject=ANN)  # a person's erasure is none of the tenant's
    for shut, refusal in ((None, None), (fences.CLOSING, Conflict), (fences.ERASED, Gone)):
        with world.database.write() as connection:
            if shut:
                fences.shut(connection, tenant_digest(TENANT), shut, erasure="ers_1")
        with world.database.write() as connection:
            fences.fence_tenant(connection, OTHER)
            if refusal is None:
                fences.fence_tenant(connection, TENANT)
                continue
            with pytest.raises(refusal):
                fences.fence_tenant(connection, TENANT)
