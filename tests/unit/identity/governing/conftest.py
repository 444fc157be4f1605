"""Fixtures of governed access."""

from __future__ import annotations

import pytest

from unit.identity.governing.office import Office
from unit.identity.world import World


@pytest.fixture
def office(world: World) -> Office:
    """An owner and a member, and everything that decides about roles."""
    return Office(world)
