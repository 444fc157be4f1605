"""Privileges rest without a passkey once the time to set one up is over; one's own account and data never do."""

from __future__ import annotations

import pytest

from troth.access.policy import CedarDecider
from troth.identity.key_operations import ApiKeyOperations
from troth.identity.operations import IdentityOperations
from troth.identity.operators import OperatorOperations
from troth.identity.people_operations import PeopleOperations
from troth.identity.privileged import GROUPS, PRIVILEGED, PasskeyForPrivileged, PasskeyGrace
from troth.identity.sign_in import WITH_CODE, WITH_PASSKEY
from troth.kernel.caller import Caller
from troth.kernel.operation import Operation, declarations
from unit.identity.world import Person, World

OPERATIONS = {
    declaration.name: Operation(declaration, print)
    for owner in (IdentityOperations, ApiKeyOperations, PeopleOperations, OperatorOperations)
    for _, declaration in declarations(owner)
}
POLICIES = CedarDecider(OPERATIONS.values())
DAYS = 14


@pytest.fixture
def decider(world: World) -> PasskeyForPrivileged:
    return PasskeyForPrivileged(POLICIES, PasskeyGrace(world.clock, DAYS))


def session(world: World, person: Person, *, passkey: bool = False) -> Caller:
    opened = world.sessions.open(person.id, WITH_PASSKEY if passkey else WITH_CODE, "public")
    return world.at_device(opened.token)


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_administering_rests_after_the_grace_until_a_passkey_is_shown(
    world: World, decider: PasskeyForPrivileged, role: str
) -> None:
    person, listing = world.settled(world.tenant().id, role), OPERATIONS["user.list"]
    world.clock.forward(days=DAYS - 1)
    assert decider.decide(session(world, person), listing).allowed
    world.clock.forward(days=1)
    caller = session(world, person)
    refused = decider.decide(caller, listing)
    assert (refused.allowed, refused.remedy, refused.policies) == (False, "passkey-required", ("privileged-passkey",))
    assert (refused.evidence, refused.ruleset) == (POLICIES.decide(caller, listing).evidence, POLICIES.ruleset)
    assert decider.decide(session(world, person, passkey=True), listing).allowed


def test_own_account_and_keys_go_on(world: World, decider: PasskeyForPrivileged) -> None:
    owner = world.settled(world.tenant().id, "owner")
    world.clock.forward(days=DAYS)
    caller = session(world, owner)
    for name in ("account.show", "totp.enrol", "key.create", "session.step-up"):
        assert decider.decide(caller, OPERATIONS[name]).allowed, name


def test_who_has_no_privilege_is_not_asked(world: World, decider: PasskeyForPrivileged) -> None:
    member = world.settled(world.tenant().id, "member", "auditor")
    world.clock.forward(days=DAYS)
    caller = session(world, member)
    assert caller.privileged_since is None
    assert decider.grace.due(caller) is None
    listing = OPERATIONS["user.list"]
    assert decider.decide(caller, listing) == POLICIES.decide(caller, listing)


def test_operators_too(world: World, decider: PasskeyForPrivileged) -> None:
    made = world.bootstrap.operator("op@example.org", "eu")
    operator, listing = Person(made.user, "operator", made.email, made.password), OPERATIONS["operator.list"]
    assert decider.decide(session(world, operator), listing).allowed
    world.clock.forward(days=DAYS)
    assert decider.decide(session(world, operator), listing).remedy == "passkey-required"
    assert decider.decide(session(world, operator, passkey=True), listing).allowed


def test_the_oldest_privileged_role_counts_and_the_time_is_told(world: World, decider: PasskeyForPrivileged) -> None:
    tenant = world.tenant().id
    giver = session(world, world.settled(tenant, "owner"))
    person = world.settled(tenant, "admin")
    since = session(world, person).privileged_since
    assert since is not None
    world.clock.forward(days=5)
    world.roles.assign(giver, person.id, "privacy-officer")
    caller = session(world, person)
    assert caller.privileged_since == since
    assert decider.grace.due(caller) == since + DAYS * 24 * 3600 * 1000


def test_the_machine_itself_is_not_asked(world: World) -> None:
    at_once = PasskeyForPrivileged(POLICIES, PasskeyGrace(world.clock, 0))
    local = Caller(actor="svc_local", kind="operator", roles=frozenset({"operator"}))
    assert at_once.decide(local, OPERATIONS["operator.list"]) == POLICIES.decide(local, OPERATIONS["operator.list"])


def test_every_role_that_reaches_these_groups_is_privileged_or_only_reads() -> None:
    roles = {"owner", "admin", "member", "auditor", "privacy-officer", "security-analyst"}
    for name, operation in OPERATIONS.items():
        if operation.declaration.group in GROUPS - {"audit"}:
            for role in roles - PRIVILEGED:
                person = Caller(actor="usr_x", kind="user", tenant="tnt_x", subject="usr_x", roles=frozenset({role}))
                assert not POLICIES.decide(person, operation).allowed, (name, role)
