"""Identity as a holder: it shows all it keeps of a person, and forgets all of it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from troth.identity import store
from troth.identity.keys import NewKey
from troth.kernel.errors import NotFound, Unauthenticated
from troth.kernel.personal import Forgotten
from unit.identity.world import TLS, Person, World

PERSONAL = (
    store.users,
    store.grants,
    store.totp,
    store.recovery_codes,
    store.sessions,
    store.api_keys,
    store.known_devices,
    store.attempts,
    store.privacy_settings,
)


@pytest.fixture
def ada(world: World) -> Person:
    """Somebody with a row in every table."""
    person = world.settled(world.tenant().id, "member", email="ada@example.org")
    world.keys.create(NewKey(person.tenant, person.id, "laptop", frozenset({"generate"})))
    world.privacy.change(person.id, "training", "by-consent")
    world.sign_in(person)
    with pytest.raises(Unauthenticated):
        world.sign_in(person, password="wrong wrong wrong")
    return person


def rows(world: World) -> dict[str, int]:
    with world.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in PERSONAL
        }


def test_everything_kept_is_shown(world: World, ada: Person) -> None:
    found = world.holder.holdings(ada.tenant, ada.id)
    assert {one.kind for one in found} == {"account", "session", "api-key"}
    account = next(one for one in found if one.kind == "account")
    assert (account.content["email"], account.content["display_name"]) == ("ada@example.org", "Ada Lovelace")
    assert account.content["privacy"]["training"] == "by-consent"
    key = next(one for one in found if one.kind == "api-key")
    assert key.content["name"] == "laptop"
    assert {one.data_class for one in found} == {"account"}
    json.dumps([one.content for one in found])


def test_no_secret_is_shown(world: World, ada: Person) -> None:
    text = repr(world.holder.holdings(ada.tenant, ada.id))
    assert "argon2" not in text
    assert str(ada.secret) not in text
    assert "troth_s" not in text


def test_forgetting_leaves_no_row(world: World, ada: Person) -> None:
    assert all(rows(world).values())
    token = world.sign_in(ada).session.token
    key = world.keys.create(NewKey(ada.tenant, ada.id, "phone", frozenset({"generate"})))
    forgotten = world.holder.forget(ada.tenant, ada.id)
    left = rows(world)
    assert left.pop("sign_in_attempts") == 1  # the count of a neighbourhood, which is about nobody
    assert set(left.values()) == {0}
    assert forgotten.holder == "identity"
    assert {ada.id, key.id} <= set(forgotten.identifiers)
    with pytest.raises(Unauthenticated):
        world.sessions.authenticate(token, TLS)
    with pytest.raises(Unauthenticated):
        world.keys.authenticate(key.token, TLS)
    with pytest.raises(NotFound):
        world.users.get(ada.id)


def test_forgetting_twice_finds_nothing(world: World, ada: Person) -> None:
    world.holder.forget(ada.tenant, ada.id)
    assert world.holder.forget(ada.tenant, ada.id) == Forgotten("identity")
    assert world.holder.holdings(ada.tenant, ada.id) == []


def test_another_tenant_finds_and_forgets_nothing(world: World, ada: Person) -> None:
    foreign = world.tenant().id
    before = rows(world)
    assert world.holder.holdings(foreign, ada.id) == []
    assert world.holder.forget(foreign, ada.id) == Forgotten("identity")
    assert rows(world) == before


def test_others_stay(world: World, ada: Person) -> None:
    eve = world.settled(ada.tenant, "member")
    world.holder.forget(ada.tenant, ada.id)
    assert world.caller(eve).roles == {"member"}


def test_the_address_can_be_used_again(world: World, ada: Person) -> None:
    world.holder.forget(ada.tenant, ada.id)
    assert world.person(ada.tenant, email="ada@example.org").id != ada.id
