"""The world of certificates: the world of identity, an authority, and devices that keep their keys."""

from __future__ import annotations

import pytest

from unit.identity.certificates.fleet import Fleet
from unit.identity.world import World


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world)
