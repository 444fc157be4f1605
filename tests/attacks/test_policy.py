"""Ways in which Cedar, or the code around it, could fail open. Each must end in a no."""

from __future__ import annotations

import dataclasses
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.access.evidence import CONTEXT_TYPES, Evidence, evidence_of
from troth.access.policy import UNDECIDABLE, CedarDecider
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group
from unit.access.world import OPERATIONS, a_caller

DECIDER = CedarDecider(OPERATIONS.values())
CALLERS = {
    "user": a_caller("user", ["owner", "admin", "member", "auditor", "privacy-officer"]),
    "api-key": a_caller("api-key", ["owner"], ["generate", "own-data", "own-data:write"]),
    "operator": a_caller("operator", ["operator"]),
}


def evidence(kind: str, group: Group) -> Evidence:
    return evidence_of(CALLERS[kind], OPERATIONS[group, DataClass.ACCOUNT, "GET"])


def test_the_trap_is_real_without_our_care() -> None:
    """Cedar alone: a `forbid` that errors on a missing attribute is skipped and the `permit` stands."""
    policies = "permit (principal, action, resource); forbid (principal, action, resource) when { context.bad };"
    request: dict[str, Any] = {"principal": 'U::"a"', "action": 'Action::"b"', "resource": 'R::"c"', "context": {}}
    answer = cedarpy.is_authorized(request, policies, [])
    assert answer.allowed
    assert answer.diagnostics.errors


@pytest.mark.parametrize("attribute", CONTEXT_TYPES)
@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize("kind", CALLERS)
def test_a_missing_attribute_denies_everything(kind: str, group: Group, attribute: str) -> None:
    whole = evidence(kind, group)
    context = {name: value for name, value in whole.context.items() if name != attribute}
    decision = DECIDER.judge(dataclasses.replace(whole, context=context))
    assert (decision.allowed, decision.policies) == (False, (UNDECIDABLE,))


@pytest.mark.parametrize("attribute", CONTEXT_TYPES)
def test_an_attribute_of_the_wrong_type_denies(attribute: str) -> None:
    whole = evidence("user", Group.OWN_DATA)
    wrong: Any = {"Long": "2", "String": 1, "Boolean": "true", "Set": "generate"}[CONTEXT_TYPES[attribute]]
    assert not DECIDER.judge(dataclasses.replace(whole, context={**whole.context, attribute: wrong})).allowed


def test_an_unforeseen_attribute_denies() -> None:
    whole = evidence("user", Group.OWN_DATA)
    assert not DECIDER.judge(dataclasses.replace(whole, context={**whole.context, "admin": True})).allowed


def test_an_error_in_a_policy_denies_although_a_permit_spoke() -> None:
    groups = ", ".join(f'Action::"{group.value}"' for group in Group)
    policies = {
        "a.cedar": f'@id("all") permit (principal, action in [{groups}], resource);',
        # Overflows when evaluated: the validator cannot see it.
        "b.cedar": '@id("sum") forbid (principal, action, resource)'
        " when { context.age_minutes + 9223372036854775807 > 5 };",
    }
    decider = CedarDecider(OPERATIONS.values(), policies)
    decision = decider.judge(evidence("user", Group.OWN_DATA))
    assert (decision.allowed, decision.policies) == (False, (UNDECIDABLE,))


@pytest.mark.parametrize("value", ["", "own-data\0", 'x"]; permit(principal,action,resource);', "Own-Data.account-get"])
def test_a_strange_action_denies(value: str) -> None:
    assert not DECIDER.judge(dataclasses.replace(evidence("user", Group.OWN_DATA), action=value)).allowed


@settings(deadline=None)
@given(
    role=st.text(max_size=40).filter(
        lambda role: role not in ("owner", "admin", "member", "auditor", "privacy-officer", "operator")
    ),
    kind=st.sampled_from(["user", "api-key", "operator", "service", "anonymous"]),
)
def test_no_made_up_role_opens_anything(role: str, kind: str) -> None:
    caller = a_caller(kind, [role], ["generate", "own-data"])
    for group in (Group.OWN_DATA, Group.GENERATE, Group.ADMINISTER, Group.PRIVACY, Group.AUDIT, Group.OPERATE):
        assert not DECIDER.decide(caller, OPERATIONS[group, DataClass.ACCOUNT, "GET"]).allowed


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=6))
def test_no_scope_lets_a_key_administer(scopes: list[str]) -> None:
    key = a_caller("api-key", ["owner", "admin", "operator"], scopes)
    for group in (Group.OWN_ACCOUNT, Group.OWN_KEYS, Group.ADMINISTER, Group.PRIVACY, Group.AUDIT, Group.OPERATE):
        assert not DECIDER.decide(key, OPERATIONS[group, DataClass.SYSTEM, "GET"]).allowed
