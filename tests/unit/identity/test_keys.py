"""API keys: shape, scopes, life, revocation, their owner's standing, and what is written on use."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import delete, select

from troth.identity.keys import MOST_KEYS, ApiKeys, CreatedKey, NewKey
from troth.identity.store import api_keys
from troth.kernel.caller import Origin
from troth.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from unit.identity.world import TLS, Person, World

DAY = 24 * 3600 * 1000


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.tenant(jurisdiction="us").id, "member")


def a_key(world: World, owner: Person, days: int = 90) -> CreatedKey:
    return world.keys.create(NewKey(owner.tenant, owner.id, "laptop of Ada", frozenset({"generate"}), days))


def code_of(world: World, token: str) -> str:
    """The code with which a token is refused."""
    with pytest.raises(Unauthenticated) as refusal:
        world.keys.authenticate(token, TLS)
    return refusal.value.code


def test_a_key_acts_for_its_owner_within_its_scopes(world: World, ada: Person) -> None:
    key = a_key(world, ada)
    world.clock.forward(minutes=2)
    caller = world.keys.authenticate(key.token, TLS)
    assert (caller.actor, caller.kind, caller.subject, caller.tenant) == (key.id, "api-key", ada.id, ada.tenant)
    assert (caller.scopes, caller.roles, caller.jurisdiction) == ({"generate"}, {"member"}, "us")
    proof = caller.authentication
    assert (proof.method, proof.assurance, proof.age_seconds, proof.credential) == ("api-key", 1, 120, key.id)


def test_the_token_has_the_promised_shape(world: World, ada: Person) -> None:
    key = a_key(world, ada)
    prefix, kind, body, secret = key.token.split("_")
    assert (prefix, kind, f"key_{body}", len(secret)) == ("troth", "sk", key.id, 52)


def test_every_changed_character_is_refused(world: World, ada: Person) -> None:
    token = a_key(world, ada).token
    for at in range(len(token)):
        other = "b" if token[at] == "a" else "a"
        assert code_of(world, token[:at] + other + token[at + 1 :]) == "key-unknown"


@pytest.mark.parametrize("token", ["", "troth_sk__", "sk-proj-abc", "troth_sk_" + "a" * 26 + "_" + "a" * 52 + "\n"])
def test_what_is_no_key_is_refused(world: World, token: str) -> None:
    assert code_of(world, token) == "key-unknown"


def test_the_secret_of_one_key_does_not_open_another(world: World, ada: Person) -> None:
    one, other = a_key(world, ada), a_key(world, ada)
    mixed = one.token.rpartition("_")[0] + "_" + other.token.rpartition("_")[2]
    assert code_of(world, mixed) == "key-unknown"


def test_a_key_ends(world: World, ada: Person) -> None:
    key = a_key(world, ada, days=1)
    world.clock.forward(hours=23, minutes=59)
    world.keys.authenticate(key.token, TLS)
    world.clock.forward(minutes=1)
    assert code_of(world, key.token) == "key-expired"


def test_keys_live_thirty_days_unless_told(world: World, ada: Person) -> None:
    wish = NewKey(ada.tenant, ada.id, "n", frozenset({"generate"}))
    now = int(world.clock.now().timestamp() * 1000)
    assert world.keys.create(wish).expires_at - now == 30 * DAY
    strict = ApiKeys(world.database, world.fields, world.clock, longest_days=7)
    assert strict.create(wish).expires_at - now == 7 * DAY
    with pytest.raises(Invalid):
        strict.create(dataclasses.replace(wish, days=8))


def test_a_key_that_nobody_uses_lapses(world: World, ada: Person) -> None:
    used, idle = a_key(world, ada, days=365), a_key(world, ada, days=365)
    world.clock.forward(days=89)
    world.keys.authenticate(used.token, TLS)
    world.clock.forward(days=1)
    world.keys.authenticate(used.token, TLS)
    assert code_of(world, idle.token) == "key-lapsed"
    if world.database.at_hand:
        with pytest.raises(Unauthenticated):
            world.keys.at_once(idle.token, TLS)


def test_models_come_with_the_caller(world: World, ada: Person) -> None:
    wish = NewKey(ada.tenant, ada.id, "n", frozenset({"generate"}), models=frozenset({"a", "b/c:d"}))
    caller = world.keys.authenticate(world.keys.create(wish).token, TLS)
    assert caller.models == {"a", "b/c:d"}
    assert (caller.may_use("a"), caller.may_use("c")) == (True, False)
    assert world.keys.authenticate(a_key(world, ada).token, TLS).may_use("c")


def test_a_rotated_key_keeps_its_limits_and_the_old_one_dies_after_the_overlap(world: World, ada: Person) -> None:
    scopes, models = frozenset({"generate"}), frozenset({"a"})
    old = world.keys.create(NewKey(ada.tenant, ada.id, "n", scopes, 20, ("203.0.113.0/24",), models))
    home = dataclasses.replace(TLS, origin=Origin("api", "203.0.113.7"))
    world.clock.forward(days=10)
    made = world.keys.rotate(ada.tenant, ada.id, old.id, 24)
    now = int(world.clock.now().timestamp() * 1000)
    assert (made.replaced, made.replaced_until, made.expires_at) == (old.id, now + DAY, now + 20 * DAY)
    fresh = world.keys.authenticate(made.token, home)
    assert (fresh.actor, fresh.scopes, fresh.models) == (made.id, scopes, models)
    assert code_of(world, made.token) == "key-network"
    world.clock.forward(hours=23, minutes=59)
    world.keys.authenticate(old.token, home)
    world.clock.forward(minutes=1)
    assert code_of(world, old.token) == "key-expired"
    world.keys.authenticate(made.token, home)


def test_an_overlap_never_prolongs_and_none_ends_at_once(world: World, ada: Person) -> None:
    old = a_key(world, ada, days=1)
    world.clock.forward(hours=23)
    assert world.keys.rotate(ada.tenant, ada.id, old.id, 24).replaced_until == old.expires_at
    other = a_key(world, ada)
    world.keys.rotate(ada.tenant, ada.id, other.id, 0)
    assert code_of(world, other.token) == "key-expired"


def test_what_is_over_or_foreign_is_not_rotated(world: World, ada: Person) -> None:
    eve, key = world.person(ada.tenant), a_key(world, ada, days=2)
    with pytest.raises(NotFound):
        world.keys.rotate(eve.tenant, eve.id, key.id)
    for hours in (-1, 25):
        with pytest.raises(Invalid):
            world.keys.rotate(ada.tenant, ada.id, key.id, hours)
    world.keys.rotate(ada.tenant, ada.id, key.id, 24)
    ended = a_key(world, ada, days=1)
    for gone in (key, ended):
        if gone is ended:
            world.clock.forward(days=1)
        with pytest.raises(Conflict) as refusal:
            world.keys.rotate(ada.tenant, ada.id, gone.id)
        assert refusal.value.code == "key-over"


def test_networks_are_sealed_and_their_marks_cannot_be_tried(world: World, ada: Person) -> None:
    world.keys.create(NewKey(ada.tenant, ada.id, "n", frozenset({"generate"}), networks=("203.0.113.7",)))
    with world.database.read(SYSTEM) as connection:
        row = connection.execute(select(api_keys)).mappings().one()
    assert "203.0.113" not in repr(dict(row))
    assert bytes([203, 0, 113, 7]) not in row["networks"] + row["network_marks"]


def test_keys_that_ended_long_ago_go(world: World, ada: Person) -> None:
    old = a_key(world, ada, days=1)
    world.clock.forward(days=90)
    a_key(world, ada)
    assert old.id in [one.id for one in world.keys.list(ada.tenant, ada.id)]
    world.clock.forward(days=1)
    a_key(world, ada)
    assert old.id not in [one.id for one in world.keys.list(ada.tenant, ada.id)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scopes": frozenset({"generate", "administer"})}, "unknown-scope"),
        ({"scopes": frozenset()}, "unknown-scope"),
        ({"days": 0}, "bad-lifetime"),
        ({"days": 366}, "bad-lifetime"),
        ({"networks": ("10.0.0.1/8",)}, "bad-network"),
        ({"networks": ()}, "empty-limit"),
        ({"models": frozenset()}, "empty-limit"),
    ],
)
def test_wishes_that_are_refused(world: World, ada: Person, change: dict[str, object], code: str) -> None:
    wish = NewKey(ada.tenant, ada.id, "n", frozenset({"generate"}))
    with pytest.raises(Invalid) as refusal:
        world.keys.create(dataclasses.replace(wish, **change))  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert world.keys.list(ada.tenant, ada.id) == []


def test_a_revoked_key_is_unknown_at_once(world: World, ada: Person) -> None:
    key = a_key(world, ada)
    world.keys.authenticate(key.token, TLS)
    world.keys.revoke(ada.id, key.id)
    assert code_of(world, key.token) == "key-unknown"
    with pytest.raises(NotFound):
        world.keys.revoke(ada.id, key.id)


def test_nobody_revokes_the_key_of_another(world: World, ada: Person) -> None:
    key, eve = a_key(world, ada), world.person(ada.tenant)
    with pytest.raises(NotFound):
        world.keys.revoke(eve.id, key.id)
    world.keys.authenticate(key.token, TLS)


def test_the_list_shows_use_by_the_minute_and_no_token(world: World, ada: Person) -> None:
    key = a_key(world, ada)
    assert world.keys.list(ada.tenant, ada.id)[0].used_at is None
    world.keys.authenticate(key.token, TLS)
    first = world.keys.list(ada.tenant, ada.id)[0]
    assert (first.name, first.scopes) == ("laptop of Ada", ("generate",))
    world.clock.forward(seconds=59)
    world.keys.authenticate(key.token, TLS)
    assert world.keys.list(ada.tenant, ada.id)[0].used_at == first.used_at
    world.clock.forward(seconds=1)
    world.keys.authenticate(key.token, TLS)
    assert world.keys.list(ada.tenant, ada.id)[0].used_at == (first.used_at or 0) + 60_000
    assert key.token not in repr(first)


def test_there_is_a_most(world: World, ada: Person) -> None:
    for _ in range(MOST_KEYS):
        a_key(world, ada)
    with pytest.raises(Conflict) as refusal:
        a_key(world, ada)
    assert refusal.value.code == "too-many-keys"


def test_the_short_way_gives_the_same_caller_once_nothing_is_to_be_written(world: World, ada: Person) -> None:
    token = a_key(world, ada).token
    assert world.keys.at_once(token, TLS) is None  # its first use is to be written
    caller = world.keys.authenticate(token, TLS)
    assert world.keys.at_once(token, TLS) == (caller if world.database.at_hand else None)
    world.clock.forward(seconds=61)
    assert world.keys.at_once(token, TLS) is None


def test_a_key_that_another_process_revoked_is_refused_at_its_next_use(world: World, ada: Person) -> None:
    key = a_key(world, ada)
    world.keys.authenticate(key.token, TLS)
    if world.database.at_hand:
        assert world.keys.at_once(key.token, TLS)
    url = world.database.engine.url.render_as_string(hide_password=False)
    elsewhere = Database(url)
    with elsewhere.write(SYSTEM) as connection:
        connection.execute(delete(api_keys).where(api_keys.c.id == key.id))
    elsewhere.close()
    if world.database.at_hand:
        with pytest.raises(Unauthenticated) as refusal:
            world.keys.at_once(key.token, TLS)
        assert refusal.value.code == "key-unknown"
    assert code_of(world, key.token) == "key-unknown"
