"""The operations on tenants, people and roles."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from troth.identity import messages as m
from troth.identity.people_operations import PeopleOperations
from troth.identity.privacy import PRIVATE
from troth.kernel.caller import Authentication, Caller
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.operation import Call, Group, declarations
from troth.kernel.record import checked_facts
from unit.identity.world import Person, World

OPERATOR = Caller("usr_op", "operator", roles=frozenset({"operator"}), authentication=Authentication("x", 2))


@pytest.fixture
def operations(world: World) -> PeopleOperations:
    return PeopleOperations(
        reasons=world.reasons,
        tenants=world.tenants,
        users=world.users,
        roles=world.roles,
        totp=world.totp,
        passkeys=world.passkeys,
        privacy=world.privacy,
        jurisdiction="us",
    )


def call(world: World, caller: Caller) -> Call:
    return Call(caller, "req_1", world.clock.now())


def founding(email: str = "owner@example.org") -> m.TenantCreate:
    return m.TenantCreate(name="Acme", jurisdiction="us", owner_email=email, owner_name="Olive Owner")


def test_a_tenant_of_another_jurisdiction_is_refused(world: World, operations: PeopleOperations) -> None:
    elsewhere = founding().model_copy(update={"jurisdiction": "au"})
    with pytest.raises(Denied) as caught:
        operations.create_tenant(call(world, OPERATOR), elsewhere)
    assert caught.value.code == "wrong-jurisdiction"
    assert world.tenants.list() == []


def test_the_operations_and_their_groups() -> None:
    assert {one.name: one.group for _, one in declarations(PeopleOperations)} == {
        "tenant.create": Group.OPERATE,
        "tenant.list": Group.OPERATE,
        "user.create": Group.ADMINISTER,
        "user.list": Group.ADMINISTER,
        "user.disable": Group.ADMINISTER,
        "role.assign": Group.ADMINISTER,
        "role.remove": Group.ADMINISTER,
    }


def test_a_tenant_comes_with_its_owner(world: World, operations: PeopleOperations) -> None:
    running = call(world, OPERATOR)
    made = operations.create_tenant(running, founding())
    assert checked_facts(running.facts) == {"tenant": made.id, "user": made.owner, "jurisdiction": "us"}
    listed = operations.list_tenants(running, m.Nothing()).tenants
    assert [(one.id, one.name, one.jurisdiction, one.privacy) for one in listed] == [
        (made.id, "Acme", "us", dict(PRIVATE))
    ]
    owner = world.caller(Person(made.owner, made.id, "owner@example.org", made.password))
    assert (owner.roles, owner.tenant, owner.jurisdiction, owner.authentication.assurance) == (
        {"owner"},
        made.id,
        "us",
        1,
    )


def test_a_tenant_whose_owner_cannot_be_made_is_not_made(world: World, operations: PeopleOperations) -> None:
    operations.create_tenant(call(world, OPERATOR), founding())
    with pytest.raises(Conflict):
        operations.create_tenant(call(world, OPERATOR), founding("OWNER@example.org"))
    assert len(world.tenants.list()) == 1


def test_people_are_made_listed_and_disabled(world: World, operations: PeopleOperations) -> None:
    tenant = world.tenant().id
    owner = world.settled(tenant, "owner")
    running = call(world, world.caller(owner))
    wish = m.UserCreate(email="ada@example.org", display_name="Ada", roles=frozenset({"member", "auditor"}))
    made = operations.create_user(running, wish)
    assert checked_facts(running.facts) == {"user": made.id, "counts": {"auditor": 1, "member": 1}}
    listed = {one.id: one for one in operations.list_users(running, m.Nothing()).users}
    assert listed.keys() == {owner.id, made.id}
    ada = listed[made.id]
    assert (ada.email, ada.active, ada.totp, set(ada.roles)) == ("ada@example.org", True, False, {"member", "auditor"})
    assert listed[owner.id].totp
    operations.disable_user(running, m.UserNamed(user_id=made.id))
    assert not world.users.get(made.id).active


def test_nobody_makes_a_person_mightier_than_they_may(world: World, operations: PeopleOperations) -> None:
    tenant = world.tenant().id
    admin = call(world, world.caller(world.settled(tenant, "admin")))
    wish = m.UserCreate(email="ada@example.org", display_name="Ada", roles=frozenset({"owner"}))
    with pytest.raises(Denied):
        operations.create_user(admin, wish)
    assert len(world.users.list(tenant)) == 1


def test_roles_are_given_and_taken(world: World, operations: PeopleOperations) -> None:
    tenant = world.tenant().id
    running = call(world, world.caller(world.settled(tenant, "owner")))
    ada = world.person(tenant)
    granted = operations.assign_role(running, m.RoleGive(user_id=ada.id, role="member"))
    assert checked_facts(running.facts) == {"user": ada.id, "role": "member", "expires": granted.expires_at}
    operations.remove_role(running, m.RoleNamed(user_id=ada.id, role="member"))
    assert world.roles.of(ada.id) == []


def test_the_people_of_other_tenants_do_not_exist(world: World, operations: PeopleOperations) -> None:
    running = call(world, world.caller(world.settled(world.tenant().id, "owner")))
    ada = world.person(world.tenant().id, "member")
    assert ada.id not in {one.id for one in operations.list_users(running, m.Nothing()).users}
    with pytest.raises(NotFound):
        operations.disable_user(running, m.UserNamed(user_id=ada.id))
    with pytest.raises(NotFound):
        operations.assign_role(running, m.RoleGive(user_id=ada.id, role="member"))
    assert world.users.get(ada.id).active


def test_an_operator_has_no_people(world: World, operations: PeopleOperations) -> None:
    with pytest.raises(NotFound):
        operations.list_users(call(world, OPERATOR), m.Nothing())


@pytest.mark.parametrize("role", ["operator", "root", ""])
def test_a_request_names_roles_of_tenants_only(role: str) -> None:
    with pytest.raises(ValidationError):
        m.RoleNamed.model_validate({"user_id": "usr_1", "role": role})


@pytest.mark.parametrize("attribute", [name for name, _ in declarations(PeopleOperations)])
def test_every_request_refuses_unknown_members_and_long_texts(attribute: str) -> None:
    request = dict(declarations(PeopleOperations))[attribute].request
    with pytest.raises(ValidationError, match="extra_forbidden"):
        request.model_validate({"unforeseen": 1})
    for name in request.model_fields:
        with pytest.raises(ValidationError):
            request.model_validate({name: "x" * 2000})
