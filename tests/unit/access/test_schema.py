"""The schema: one action per operation, in its group; the entity slice of a decision."""

from __future__ import annotations

import pytest

from troth.access.evidence import CONTEXT_TYPES
from troth.access.schema import UndeclaredAction, entities_of, schema_of
from troth.kernel.operation import Group
from unit.access.world import an_operation


def test_each_operation_is_an_action_of_its_group() -> None:
    actions = schema_of([an_operation(Group.AUDIT, name="audit.list")])[""]["actions"]
    assert actions["audit.list"]["memberOf"] == [{"id": "audit"}]
    assert {group.value for group in Group} | {"audit.list"} == actions.keys()


def test_every_context_attribute_is_required() -> None:
    attributes = schema_of([])[""]["commonTypes"]["Evidence"]["attributes"]
    assert attributes.keys() == CONTEXT_TYPES.keys()
    assert not any(attribute.get("required") is False for attribute in attributes.values())


def test_two_operations_of_one_name_are_refused() -> None:
    with pytest.raises(UndeclaredAction):
        schema_of([an_operation(Group.AUDIT, name="a.b"), an_operation(Group.PUBLIC, name="a.b")])


def test_the_principal_carries_its_roles_and_no_name() -> None:
    principal = entities_of("user", ["member"])[0]
    assert principal["uid"] == {"type": "User", "id": "caller"}
    assert principal["parents"] == [{"type": "Role", "id": "member"}]
