"""What a provider's word is worth is what the owner says, up to the ceiling that the owner states."""

from __future__ import annotations

import pytest

from troth.identity.sso.rules import Rules


@pytest.mark.parametrize(
    ("rules", "said", "level"),
    [
        (Rules(), ["mfa", "urn:anything"], 1),
        (Rules(levels={"mfa": 2}), ["pwd", "mfa"], 2),
        (Rules(levels={"mfa": 2}), ["pwd"], 1),
        (Rules(levels={"hwk": 3}), ["hwk"], 2),
        (Rules(levels={"hwk": 3}, ceiling=3), ["hwk"], 3),
        (Rules(assurance=3), [], 2),
        (Rules(assurance=2, levels={"pwd": 1}), ["pwd"], 1),
        (Rules(assurance=2, ceiling=1), [], 1),
    ],
)
def test_levels_are_mapped_as_the_owner_says_and_end_at_the_ceiling(rules: Rules, said: list[str], level: int) -> None:
    assert rules.level(said) == level
