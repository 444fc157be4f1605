"""What a connection gave goes with it, also from under a sign-in that had begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.event import listen, remove

from sso_world import ASKING, SETTINGS, SsoWorld, sso_world
from troth.identity.oauth.service_accounts import NewServiceAccount, ServiceAccounts
from troth.identity.scim.tokens import ProvisioningTokens
from troth.identity.scim.tokens import Wish as Token
from troth.identity.sso.admission import Word
from troth.identity.sso.connections import SsoConnection, Wish
from troth.identity.sso.rules import Rules
from troth.identity.sso.subjects import Subject
from troth.kernel.errors import NotFound
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


def admitted(home: SsoWorld, connection: SsoConnection) -> str:
    word = Word(subject=ADA, email="ada@acme.example.org", attributes={"groups": ["x"]})
    return home.admission.admit(connection, word, ASKING).user


def withdraw(home: SsoWorld, connection: SsoConnection, how: str) -> None:
    if how == "delete":
        return home.connections.delete(connection.tenant, connection.id)
    changes = {"issuer": "https://other.example.org"} if how == "issuer" else {"enabled": False}
    rules = Rules(role_claim="groups", roles={"x": "member"})
    wish = {"name": "Acme", "issuer": ISSUER, "rules": rules, "settings": SETTINGS, "domains": ("acme.example.org",)}
    home.connections.change(connection.tenant, connection.id, "oidc", Wish(**wish | changes))
    return None


@pytest.mark.parametrize("how", ["delete", "issuer", "disable"])
def test_what_was_withdrawn_meanwhile_opens_nothing(home: SsoWorld, connection: SsoConnection, how: str) -> None:
    user = admitted(home, connection)
    withdraw(home, connection, how)
    stale = connection  # as read when the sign-in began
    link = home.world.links.find(home.world.links.digest(stale, ADA))
    assert (link is None) == (how == "delete")
    with pytest.raises(NotFound):
        admitted(home, stale)
    assert home.world.sessions.list(user) == []
    assert home.world.recorder.entries[-1].operation == "session.refused"


@pytest.mark.parametrize("how", ["delete", "issuer", "disable"])
def test_roles_go_with_who_gave_them(home: SsoWorld, connection: SsoConnection, how: str) -> None:
    user = admitted(home, connection)
    home.world.roles.assign(person("owner", tenant=connection.tenant), user, "auditor")
    assert {one.role for one in home.world.roles.of(user)} == {"member", "auditor"}
    withdraw(home, connection, how)
    assert [one.role for one in home.world.roles.of(user)] == ["auditor"]


def test_roles_go_with_the_rule_that_gave_them(home: SsoWorld) -> None:
    rules = Rules(role_claim="groups", roles={"x": "admin", "y": "auditor"}, default_roles=frozenset({"member"}))
    connection = home.connect(home.world.tenant().id, ISSUER, rules=rules)
    word = Word(subject=ADA, email="ada@acme.example.org", attributes={"groups": ["x", "y"]})
    user = home.admission.admit(connection, word, ASKING).user
    wish = {"name": "Acme", "issuer": ISSUER, "settings": SETTINGS, "domains": ("acme.example.org",)}
    for roles, left in (
        ({"x": "admin", "y": "auditor", "z": "admin"}, {"admin", "auditor", "member"}),
        ({"z": "admin", "y": "auditor"}, {"auditor", "member"}),  # one line less: who has the role by it is not known
        ({}, {"member"}),
    ):
        home.connections.change(
            connection.tenant, connection.id, "oidc", Wish(**wish, rules=rules.model_copy(update={"roles": roles}))
        )
        assert {one.role for one in home.world.roles.of(user)} == left
    assert home.world.sessions.list(user)  # only the roles went


def test_what_is_counted_waits_for_the_tenants_people(home: SsoWorld) -> None:
    """Else two requests at once pass the limit together."""
    statements, world = list[str](), home.world
    tenant = world.tenant().id

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    def waited(table: str) -> bool:
        made = [at for at, one in enumerate(statements) if one.startswith(f"INSERT INTO {table}")]
        return any("FROM tenants" in one for one in statements[: made[0]])

    owner = world.person(tenant).id
    listen(world.database.engine, "before_cursor_execute", note)
    made = home.connect(tenant, ISSUER, verified=False)
    assert waited("sso_connections")
    statements.clear()
    tokens = ProvisioningTokens(world.database, world.fields, world.clock)
    tokens.create(tenant, Token(connection=made.id, name="x", created_by=owner))
    assert waited("scim_tokens")
    statements.clear()
    wish = NewServiceAccount(tenant=tenant, owner=owner, name="x", scopes=frozenset({"generate"}), days=1)
    ServiceAccounts(world.database, world.clock).create(wish)
    assert waited("service_accounts")
    remove(world.database.engine, "before_cursor_execute", note)
