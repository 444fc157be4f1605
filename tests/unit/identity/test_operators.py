"""Operators make and shut out each other; one always remains."""

from __future__ import annotations

import pytest

from troth.identity import messages as m
from troth.identity.operators import OperatorOperations
from troth.identity.store import OPERATORS
from troth.kernel.caller import Authentication, Caller
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.operation import Call, Group, declarations
from unit.identity.world import World


@pytest.fixture
def operations(world: World) -> OperatorOperations:
    world.tenants.ensure_operators("eu")
    return OperatorOperations(users=world.users, totp=world.totp)


def _call(world: World, actor: str = "usr_op") -> Call:
    caller = Caller(
        actor, "operator", subject=actor, roles=frozenset({"operator"}), authentication=Authentication("x", 2)
    )
    return Call(caller, "req_1", world.clock.now())


def _wish(email: str = "second@troth.example.org") -> m.OperatorCreate:
    return m.OperatorCreate(email=email, display_name="Second Operator")


def test_all_of_it_is_for_operators() -> None:
    assert {one.group for _, one in declarations(OperatorOperations)} == {Group.OPERATE}


def test_a_second_operator_must_choose_a_password(world: World, operations: OperatorOperations) -> None:
    made = operations.create(_call(world), _wish())
    (shown,) = operations.list(_call(world), m.Nothing()).operators
    assert (shown.id, shown.email, shown.active, shown.totp) == (made.id, "second@troth.example.org", True, False)
    assert world.users.get(made.id).tenant == OPERATORS


def test_an_address_counts_once(world: World, operations: OperatorOperations) -> None:
    operations.create(_call(world), _wish())
    with pytest.raises(Conflict):
        operations.create(_call(world), _wish())


def test_nobody_disables_themselves_or_a_customer(world: World, operations: OperatorOperations) -> None:
    made = operations.create(_call(world), _wish())
    with pytest.raises(Denied):
        operations.disable(_call(world, made.id), m.UserNamed(user_id=made.id))
    with pytest.raises(NotFound):
        operations.disable(_call(world), m.UserNamed(user_id="usr_nobody"))
    operations.disable(_call(world), m.UserNamed(user_id=made.id))
    assert [one.active for one in operations.list(_call(world), m.Nothing()).operators] == [False]
