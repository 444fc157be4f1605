"""Who begins to decide is opened by no provider until they say so, and an enforced provider leaves no other way in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from sso_world import ASKING, SETTINGS, SsoWorld, sso_world
from troth.identity.keys import NewKey
from troth.identity.sso.admission import Word
from troth.identity.sso.connections import SsoConnection, Wish
from troth.identity.sso.subjects import Subject
from troth.kernel.errors import Conflict, Denied, TrothError, Unauthenticated
from unit.identity.world import TLS, Person
from worlds import person

ADA = Subject("ada")
ISSUER = "https://idp.example.org"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SsoWorld]:
    with sso_world(tmp_path) as made:
        yield made


@pytest.fixture
def connection(home: SsoWorld) -> SsoConnection:
    return home.connect(home.world.tenant().id, ISSUER)


@pytest.fixture
def ada(home: SsoWorld, connection: SsoConnection) -> Person:
    """A member with a password, whom an owner linked."""
    ada = home.world.settled(connection.tenant, "member", email="ada@acme.example.org")
    home.world.links.link(person("owner", tenant=connection.tenant), connection, ada.id, ADA)
    return ada


def came(home: SsoWorld, connection: SsoConnection) -> str:
    """The session's token of Ada by the provider."""
    word = Word(subject=ADA, email="ada@acme.example.org", attributes={"groups": ["x"]})
    return home.admission.admit(connection, word, ASKING).session.token


def code(home: SsoWorld, connection: SsoConnection) -> str:
    with pytest.raises(TrothError) as refusal:
        came(home, connection)
    return refusal.value.code


@pytest.mark.parametrize("role", ["owner", "privacy-officer"])
def test_a_promotion_cuts_what_a_provider_opened(
    home: SsoWorld, connection: SsoConnection, ada: Person, role: str
) -> None:
    token = came(home, connection)
    giver = person("owner", tenant=connection.tenant)
    home.world.roles.assign(giver, ada.id, "auditor")
    assert home.world.sessions.authenticate(token, TLS).subject == ada.id
    home.world.sign_in(ada)
    home.world.roles.assign(giver, ada.id, role)
    with pytest.raises(Unauthenticated):
        home.world.sessions.authenticate(token, TLS)
    assert home.world.sessions.list(ada.id) == []  # one of a program may go back to the provider
    assert code(home, connection) == "sso-link-waits"
    (link,) = home.world.links.of_person(ada.id)
    with pytest.raises(Denied) as refusal:  # not even an owner: they may run the provider
        home.world.links.confirm(giver, link.id)
    assert refusal.value.code == "link-not-yours"
    home.world.links.confirm(home.world.caller(ada), link.id)
    again = came(home, connection)
    home.world.roles.assign(giver, ada.id, role)  # renewed: nothing new is decided
    assert home.world.sessions.authenticate(again, TLS).subject == ada.id


def test_nobody_confirms_their_link_through_a_provider(home: SsoWorld, connection: SsoConnection, ada: Person) -> None:
    home.world.roles.assign(person("owner", tenant=connection.tenant), ada.id, "privacy-officer")
    (link,) = home.world.links.of_person(ada.id)
    home.world.links.confirm(home.world.caller(ada), link.id)
    by_provider = home.world.sessions.authenticate(came(home, connection), TLS)
    with pytest.raises(Denied):
        home.world.links.confirm(by_provider, link.id)


def test_who_has_no_other_way_in_is_not_promoted(home: SsoWorld, connection: SsoConnection) -> None:
    token = came(home, connection)
    user = str(home.world.sessions.authenticate(token, TLS).subject)
    with pytest.raises(Conflict) as refusal:
        home.world.roles.assign(person("owner", tenant=connection.tenant), user, "privacy-officer")
    assert refusal.value.code == "own-way-missing"
    assert {one.role for one in home.world.roles.of(user)} == {"member"}


def test_an_administrator_does_not_confirm_their_own_link(home: SsoWorld, connection: SsoConnection) -> None:
    """A colleague's sign-in would bring the colleague's roles to the administrator's account."""
    eve = home.world.settled(connection.tenant, "admin", email="ada@acme.example.org")
    assert code(home, connection) == "sso-link-waits"
    (link,) = home.world.links.of_person(eve.id)
    with pytest.raises(Denied):
        home.world.links.confirm(home.world.caller(eve), link.id)
    home.world.links.confirm(person("owner", tenant=connection.tenant), link.id)
    assert came(home, connection)


def test_a_link_by_hand_to_who_decides_waits_for_them(home: SsoWorld, connection: SsoConnection) -> None:
    officer = home.world.settled(connection.tenant, "privacy-officer")
    link = home.world.links.link(person("owner", tenant=connection.tenant), connection, officer.id, ADA)
    assert not link.confirmed


def enforce(home: SsoWorld, connection: SsoConnection) -> None:
    wish = Wish(name="Acme", issuer=ISSUER, settings=SETTINGS, domains=("acme.example.org",), enforced=True)
    home.connections.change(connection.tenant, connection.id, "oidc", wish)


def test_an_enforced_provider_ends_every_other_way_in(home: SsoWorld, connection: SsoConnection, ada: Person) -> None:
    tenant, world = connection.tenant, home.world
    people = [ada, *(world.settled(tenant, role) for role in ("owner", "privacy-officer", "member"))]
    elsewhere = world.settled(world.tenant("Other").id, "member")
    sessions = [world.sign_in(one).session.token for one in (*people, elsewhere)]
    keys = [world.keys.create(NewKey(one.tenant, one.id, "k", frozenset({"own-data"}))).token for one in people]
    by_provider = came(home, connection)
    counted = asdict(home.connections.concerned(tenant))
    assert (counted["people"], counted["unlinked"], counted["keys"]) == (2, 1, 2)
    enforce(home, connection)
    assert asdict(home.connections.concerned(tenant)) == {"people": 2, "unlinked": 1, "sessions": 0, "keys": 0}
    assert counted["sessions"] >= 2

    def holds(token: str) -> bool:
        try:
            return bool(world.sessions.authenticate(token, TLS).subject)
        except Unauthenticated:
            return False

    assert [holds(one) for one in sessions] == [False, True, True, False, True]
    assert holds(by_provider)
    assert [len(world.keys.list(tenant, one.id)) for one in people] == [0, 1, 1, 0]
    assert len(keys) == 4
    made = world.keys.create(NewKey(tenant, ada.id, "later", frozenset({"own-data"})))
    enforce(home, connection)  # it was enforced before: what came since by the provider stays
    assert [one.id for one in world.keys.list(tenant, ada.id)] == [made.id]
    assert [home.connections.required(tenant, one.id) for one in people] == [True, False, False, True]
