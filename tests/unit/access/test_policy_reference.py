"""The reference page of the policies says what the policies do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cedarpy

from troth.access.evidence import CONTEXT_TYPES
from troth.access.policy import CedarDecider, shipped_policies
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group
from unit.access.test_policy import MATRIX, named_caller
from unit.access.world import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "policies.md").read_text()


def test_the_matrix_on_the_page_is_the_matrix(decider: CedarDecider) -> None:
    for name in MATRIX:
        cells = [
            "yes" if decider.decide(named_caller(name), OPERATIONS[group, DataClass.SYSTEM, "POST"]).allowed else ""
            for group in Group
        ]
        assert f"| `{name}` | " + " | ".join(cells) + " |" in PAGE


def test_every_policy_is_on_the_page_and_no_other() -> None:
    described = json.loads(cedarpy.policies_to_json_str("\n".join(shipped_policies().values())))["staticPolicies"]
    shipped = {(policy["annotations"]["id"], policy["effect"]) for policy in described.values()}
    assert set(re.findall(r"^\| `([a-z-]+)` \| (permit|forbid) \|", PAGE, re.M)) == shipped


def test_every_attribute_is_on_the_page_and_no_other() -> None:
    assert dict(re.findall(r"^\| `([a-z_]+)` \| (Long|String|Boolean|Set) \|", PAGE, re.M)) == dict(CONTEXT_TYPES)
