"""The operations on one's own account: from the door's request to the answer and the facts of the record."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from troth.identity import messages as m
from troth.identity.operations import IdentityOperations
from troth.identity.privacy import PRIVATE
from troth.identity.privileged import PasskeyGrace
from troth.kernel.caller import Caller, anonymous
from troth.kernel.errors import NotFound, Unauthenticated
from troth.kernel.operation import Call, Group, declarations
from unit.identity.world import TLS, Person, World


@pytest.fixture
def operations(world: World) -> IdentityOperations:
    return IdentityOperations(
        sign_in=world.signing_in,
        own=world.own,
        sessions=world.sessions,
        users=world.users,
        tenants=world.tenants,
        privacy=world.privacy,
        grace=PasskeyGrace(world.clock, 14),
    )


def call(world: World, caller: Caller | None = None) -> Call:
    return Call(caller or anonymous(TLS), "req_1", world.clock.now())


def signed_in(world: World, operations: IdentityOperations, person: Person) -> tuple[m.SessionCreated, Call]:
    """A session through the operation, and a call by it."""
    world.clock.forward(seconds=30)
    totp = world.code(person) if person.secret else None
    request = m.SessionCreate(email=person.email, password=person.password, totp=totp)
    running = call(world)
    created = operations.create_session(running, request)
    assert running.facts == {}, "the operator's log learns nothing of who signed in"
    return created, call(world, world.sessions.authenticate(created.token, TLS))


def test_the_operations_and_their_groups() -> None:
    assert {one.name: one.group for _, one in declarations(IdentityOperations)} == {
        "session.create": Group.SIGN_IN,
        "session.list": Group.OWN_ACCOUNT,
        "session.delete": Group.OWN_ACCOUNT,
        "session.step-up": Group.OWN_ACCOUNT,
        "totp.enrol": Group.OWN_ACCOUNT,
        "totp.confirm": Group.OWN_ACCOUNT,
        "password.change": Group.OWN_ACCOUNT,
        "account.show": Group.OWN_ACCOUNT,
    }


def test_a_first_day(world: World, operations: IdentityOperations) -> None:
    tenant = world.tenant("Acme", "au")
    new = world.person(tenant.id, "member", email="ada@example.org")
    created, running = signed_in(world, operations, new)
    assert (created.assurance, created.missing) == (1, ("password", "totp"))
    wish = m.PasswordChange(current=new.password, new="a fine new passphrase")
    token = operations.change_password(running, wish).token
    running = call(world, world.sessions.authenticate(token, TLS))
    offered = operations.enrol_totp(running, m.TotpEnrol())
    new.secret = offered.secret
    confirmed = operations.confirm_totp(running, m.TotpConfirm(totp=world.code(new)))
    running = call(world, world.sessions.authenticate(confirmed.token, TLS))
    shown = operations.show_account(running, m.Nothing())
    assert shown.model_dump() == {
        "id": new.id,
        "email": "ada@example.org",
        "display_name": "Ada Lovelace",
        "tenant": tenant.id,
        "tenant_name": "Acme",
        "jurisdiction": "au",
        "roles": ("member",),
        "assurance": 2,
        "totp": True,
        "passkeys": 0,
        "passkey_due": None,
        "recovery_codes_left": 10,
        "privacy": dict(PRIVATE),
    }


def test_sessions_are_listed_and_ended(world: World, operations: IdentityOperations) -> None:
    ada = world.settled(world.tenant().id)
    world.sessions.revoke_others(ada.id, None)
    first, running = signed_in(world, operations, ada)
    second, other = signed_in(world, operations, ada)
    listed = operations.list_sessions(running, m.Nothing())
    assert listed.current == first.id
    assert {one.id for one in listed.sessions} == {first.id, second.id}
    operations.delete_session(running, m.SessionDelete(session_id=second.id))
    assert running.facts == {"session": second.id}
    operations.delete_session(running, m.SessionDelete(session_id="current"))
    for token in (first.token, second.token):
        with pytest.raises(Unauthenticated):
            world.sessions.authenticate(token, TLS)
    with pytest.raises(NotFound):
        operations.delete_session(other, m.SessionDelete(session_id="current"))


def test_a_step_up_gives_a_new_token(world: World, operations: IdentityOperations) -> None:
    ada = world.settled(world.tenant().id)
    created, running = signed_in(world, operations, ada)
    world.clock.forward(seconds=30)
    stepped = operations.step_up(running, m.SessionStepUp(totp=world.code(ada)))
    assert (stepped.id, stepped.expires_at) == (created.id, created.expires_at)
    assert stepped.token != created.token


def test_an_operator_sees_an_account_without_a_tenant(world: World, operations: IdentityOperations) -> None:
    made = world.bootstrap.operator("op@example.org", "eu")
    person = Person(made.user, "operator", made.email, made.password, made.totp_secret)
    _, running = signed_in(world, operations, person)
    shown = operations.show_account(running, m.Nothing())
    assert (shown.tenant, shown.tenant_name, shown.roles) == (None, None, ("operator",))


def test_who_is_no_person_has_no_account(world: World, operations: IdentityOperations) -> None:
    with pytest.raises(NotFound):
        operations.show_account(call(world), m.Nothing())


@pytest.mark.parametrize("attribute", [name for name, _ in declarations(IdentityOperations)])
def test_every_request_refuses_unknown_members_and_long_texts(attribute: str) -> None:
    request = dict(declarations(IdentityOperations))[attribute].request
    with pytest.raises(ValidationError, match="extra_forbidden"):
        request.model_validate({"unforeseen": 1})
    for name in request.model_fields:
        with pytest.raises(ValidationError):
            request.model_validate({name: "x" * 2000})
