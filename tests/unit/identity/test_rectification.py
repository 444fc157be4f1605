"""Correcting oneself: with a fresh code, for oneself only, sealed anew, and found under the new address."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from troth.identity.rectification import Rectification
from troth.identity.sso.connections import Connections, Wish
from troth.identity.store import users
from troth.kernel.caller import anonymous
from troth.kernel.errors import Conflict, Denied, Invalid, Unauthenticated
from unit.identity.world import TLS, Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.settled(world.tenant().id, "member", email="ada@example.org")


@pytest.fixture
def desk(world: World) -> Rectification:
    return Rectification(database=world.database, fields=world.fields, own=world.own)


def test_address_and_name_are_corrected(world: World, desk: Rectification, ada: Person) -> None:
    caller = world.caller(ada)
    world.clock.forward(seconds=60)
    desk.rectify(caller, world.code(ada), email=" Ada.King@Example.org ", display_name="Ada King")
    user = world.users.get(ada.id)
    assert (user.email, user.display_name) == ("ada.king@example.org", "Ada King")
    assert world.users.account(world.users.email_index("ada@example.org")) is None
    found = world.users.account(world.users.email_index("ada.king@example.org"))
    assert found is not None
    assert found.id == ada.id


def test_nothing_is_kept_in_clear(world: World, desk: Rectification, ada: Person) -> None:
    caller = world.caller(ada)
    world.clock.forward(seconds=60)
    desk.rectify(caller, world.code(ada), email="quillfeather@example.org", display_name="Quillfeather")
    with world.database.read() as connection:
        row = connection.execute(select(users).where(users.c.id == ada.id)).one()
    assert b"uillfeather" not in repr(tuple(row)).encode()


def test_a_new_address_ends_other_sessions_and_a_new_name_does_not(
    world: World, desk: Rectification, ada: Person
) -> None:
    here = world.caller(ada)
    world.clock.forward(seconds=60)
    other = world.caller(ada)
    world.clock.forward(seconds=60)
    desk.rectify(here, world.code(ada), email=None, display_name="A.")
    assert {one.id for one in world.sessions.list(ada.id)} >= {other.authentication.credential}
    world.clock.forward(seconds=60)
    desk.rectify(here, world.code(ada), email="new@example.org", display_name=None)
    assert [one.id for one in world.sessions.list(ada.id)] == [here.authentication.credential]


def test_a_code_is_needed_and_used_up(world: World, desk: Rectification, ada: Person) -> None:
    caller = world.caller(ada)
    world.clock.forward(seconds=60)
    code = world.code(ada)
    with pytest.raises(Unauthenticated):
        desk.rectify(caller, f"{(int(code) + 1) % 1_000_000:06}", email=None, display_name="Mallory")
    world.clock.forward(seconds=60)
    code = world.code(ada)
    desk.rectify(caller, code, email=None, display_name="Ada")
    with pytest.raises(Unauthenticated):
        desk.rectify(caller, code, email=None, display_name="Again")
    assert world.users.get(ada.id).display_name == "Ada"


def test_the_address_of_another_is_refused_and_ones_own_is_not(world: World, desk: Rectification, ada: Person) -> None:
    world.settled(world.tenant("Other").id, "member", email="taken@example.org")
    caller = world.caller(ada)
    world.clock.forward(seconds=60)
    with pytest.raises(Conflict) as refusal:
        desk.rectify(caller, world.code(ada), email="TAKEN@example.org", display_name=None)
    assert refusal.value.code == "email-taken"
    world.clock.forward(seconds=60)
    desk.rectify(caller, world.code(ada), email="ADA@example.org", display_name=None)
    assert world.users.get(ada.id).email == "ada@example.org"


@pytest.mark.parametrize("email", ["none", "a@b@c", "a b@example.org", "x\r\nBcc: all@example.org", "@example.org"])
def test_an_address_that_is_none_is_refused(world: World, desk: Rectification, ada: Person, email: str) -> None:
    with pytest.raises(Invalid):
        desk.rectify(world.caller(ada), "000000", email=email, display_name=None)


def test_something_must_be_given_by_somebody(world: World, desk: Rectification, ada: Person) -> None:
    with pytest.raises(Invalid):
        desk.rectify(world.caller(ada), "000000", email=None, display_name=None)
    with pytest.raises(Unauthenticated):
        desk.rectify(anonymous(TLS), "000000", email=None, display_name="Nobody")


def test_nobody_takes_an_address_in_a_domain_that_a_provider_vouches_for(
    world: World, desk: Rectification, ada: Person
) -> None:
    connections = Connections(world.database, world.fields, world.clock)
    wish = Wish(name="Acme", issuer="https://idp.example.org", domains=("acme.example.org", "free.example.org"))
    connection = connections.create(world.tenant().id, "saml", wish)
    connections.verify_domain(connection.id, "acme.example.org")
    caller = world.caller(ada)
    world.clock.forward(seconds=60)
    with pytest.raises(Denied) as refusal:
        desk.rectify(caller, world.code(ada), email="Bob@Acme.Example.org", display_name=None)
    assert refusal.value.code == "address-of-provider"
    assert world.users.get(ada.id).email == "ada@example.org"
    world.clock.forward(seconds=60)
    desk.rectify(caller, world.code(ada), email="bob@free.example.org", display_name=None)
    assert world.users.get(ada.id).email == "bob@free.example.org"
