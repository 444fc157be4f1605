"""Which duties go together, and that the table of roles says what the policies do."""

from __future__ import annotations

import itertools

import pytest

from troth.access.policy import CedarDecider
from troth.identity.duties import ALWAYS, APART, BUILT_IN, CHOICES, MAY, as_roles, check_apart, is_custom
from troth.identity.roles import TENANT_ROLES
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict
from troth.kernel.operation import Group
from unit.access.world import OPERATIONS, a_caller

DECIDER = CedarDecider(OPERATIONS.values())
EVERYBODY = {Group.PUBLIC, Group.SIGN_IN, Group.OWN_ACCOUNT}


def permitted(*roles: str) -> set[Group]:
    caller = a_caller("user", list(roles))
    asked = {group: OPERATIONS[group, DataClass.SYSTEM, "POST"] for group in Group}
    return {group for group, one in asked.items() if DECIDER.decide(caller, one).allowed} - EVERYBODY


@pytest.mark.parametrize("role", sorted(TENANT_ROLES - {"owner"}))
def test_a_built_in_role_permits_what_the_table_says(role: str) -> None:
    own = ALWAYS - {Group.OWN_DATA} if role == "room-auditor" else ALWAYS
    assert permitted(role) == own | BUILT_IN[role]


@pytest.mark.parametrize("group", sorted(CHOICES))
def test_a_custom_role_permits_its_groups_and_what_everybody_has(group: Group) -> None:
    roles = as_roles(" ".join(sorted({*ALWAYS, group})))
    assert permitted(*roles) == ALWAYS | {group}


def test_no_custom_role_operates_or_provisions() -> None:
    others = set(Group) - CHOICES - ALWAYS - EVERYBODY
    assert Group.OPERATE in others
    assert permitted(*(MAY + group for group in others)) == set()


def test_duties_that_check_each_other_are_apart() -> None:
    for pair in itertools.combinations(sorted(CHOICES), 2):
        if frozenset(pair) in APART:
            with pytest.raises(Conflict) as refusal:
                check_apart(pair)
            assert refusal.value.code == "duties-apart"
        else:
            check_apart(pair)


def test_what_is_a_custom_role() -> None:
    assert is_custom("rol_" + "a" * 26)
    assert not any(is_custom(role) for role in TENANT_ROLES)
