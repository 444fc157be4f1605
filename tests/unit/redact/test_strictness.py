"""The stricter decision wins, whatever a tenant asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.redact.decisions import Action, Allowed, CustomDetector, Decision, Policy
from troth.redact.detect.kinds import CATEGORIES, KINDS
from troth.redact.policy import vendor_policy
from troth.redact.strictness import combined, weaker

KEEP = Decision(action=Action.KEEP, reason="for a reason of its own")
DECISIONS = st.sampled_from([KEEP, *(Decision(action=a) for a in Action if a is not Action.KEEP)])
# Kinds whose category has others: only they can differ from it.
SOME = [k for k, v in KINDS.items() if sum(o.category == v.category for o in KINDS.values()) > 1]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    decisions = {name: draw(DECISIONS) for name in CATEGORIES}
    kinds = draw(st.dictionaries(st.sampled_from(SOME), DECISIONS, max_size=5))
    return Policy(name="t", version=1, decisions=decisions, kinds=kinds)


@given(policies(), policies())
def test_nothing_that_the_floor_takes_out_is_kept(policy: Policy, floor: Policy) -> None:
    both = combined(policy, floor, may_keep=False)
    assert list(weaker(both, floor)) == []
    for kind in KINDS:
        wish = policy.decision(kind)
        kept = wish.action is Action.KEEP
        assert both.decision(kind) == (floor.decision(kind) if kept and floor.action(kind) is not Action.KEEP else wish)
    free = combined(policy, floor, may_keep=True)
    assert all(free.decision(kind) == policy.decision(kind) for kind in KINDS)


def with_lists(policy: Policy, name: str) -> Policy:
    own = CustomDetector(name=name, words=("heron",), decision=Decision(action=Action.LABEL))
    allowed = Allowed(value=name, reason="for a reason of its own")
    return policy.model_copy(update={"detectors": (own,), "allow": (allowed,)})


def test_detectors_add_up_and_allow_lists_do_not() -> None:
    floor, policy = with_lists(vendor_policy(), "floor"), with_lists(vendor_policy(), "tenant")
    both = combined(policy, floor, may_keep=False)
    assert [one.name for one in both.detectors] == ["floor", "tenant"]
    assert [one.value for one in both.allow] == ["floor"]
    assert [one.value for one in combined(policy, floor, may_keep=True).allow] == ["floor", "tenant"]
    with pytest.raises(ValueError, match="name of another"):
        combined(floor, floor, may_keep=False)
