from __future__ import annotations

import pytest

from rights_world import RightsWorld
from vault_world import VaultWorld


@pytest.fixture
def rights(world: VaultWorld) -> RightsWorld:
    return RightsWorld(world)
