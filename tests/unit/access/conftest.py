"""Fixtures of the policy tests."""

from __future__ import annotations

import pytest

from troth.access.policy import CedarDecider
from unit.access.world import OPERATIONS


@pytest.fixture(scope="session")
def decider() -> CedarDecider:
    """The decider over the shipped policies."""
    return CedarDecider(OPERATIONS.values())
