"""A key that is shown from elsewhere: refused, told to its owner's log, and not for every request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from troth.identity.api_keys.alarm import Alarm
from troth.identity.keys import ApiKeys, NewKey
from troth.kernel.caller import Connection, Origin
from troth.kernel.errors import Unauthenticated
from unit.identity.world import TLS, Person, World
from worlds import PlainSealer

HOME = replace(TLS, origin=Origin("api", "203.0.113.7", "curl"))
ELSEWHERE = replace(TLS, origin=Origin("api", "198.51.100.1", "curl"))


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.tenant().id, "member")


@pytest.fixture
def keys(world: World) -> ApiKeys:
    alarm = Alarm(world.recorder, PlainSealer(), world.clock)
    return ApiKeys(world.database, world.fields, world.clock, alarm=alarm)


def limited(keys: ApiKeys, ada: Person) -> str:
    wish = NewKey(ada.tenant, ada.id, "n", frozenset({"generate"}), networks=("203.0.113.0/24",))
    return keys.create(wish).token


def refusal(keys: ApiKeys, token: str, connection: Connection) -> str:
    with pytest.raises(Unauthenticated) as refused:
        keys.authenticate(token, connection)
    return refused.value.code


def test_from_home_it_is_taken_and_from_elsewhere_refused_and_told(world: World, keys: ApiKeys, ada: Person) -> None:
    token = limited(keys, ada)
    assert keys.authenticate(token, HOME).subject == ada.id
    assert world.recorder.entries == []
    assert refusal(keys, token, ELSEWHERE) == "key-network"
    (event,) = world.recorder.entries
    assert (event.operation, event.code, event.log, event.actor) == (
        "key.refused",
        "key-network",
        ada.tenant,
        "anonymous",
    )
    assert event.facts == {"key": keys.list(ada.tenant, ada.id)[0].id, "user": ada.id}
    assert event.sealed is not None
    assert event.sealed.owner == (ada.tenant, ada.id)
    assert "198.51.100.1" not in repr(event)


def test_a_call_from_nowhere_is_refused(keys: ApiKeys, ada: Person) -> None:
    assert refusal(keys, limited(keys, ada), TLS) == "key-network"


def test_a_flood_is_told_once_a_minute(world: World, keys: ApiKeys, ada: Person) -> None:
    token = limited(keys, ada)
    for _ in range(5):
        assert refusal(keys, token, ELSEWHERE) == "key-network"
    assert len(world.recorder.entries) == 1
    first = keys.list(ada.tenant, ada.id)[0].refused_at
    world.clock.forward(seconds=60)
    assert refusal(keys, token, ELSEWHERE) == "key-network"
    assert len(world.recorder.entries) == 2
    assert keys.list(ada.tenant, ada.id)[0].refused_at == (first or 0) + 60_000


def test_who_has_no_secret_raises_no_alarm(world: World, keys: ApiKeys, ada: Person) -> None:
    token = limited(keys, ada)
    wrong = token[:-2] + ("aa" if token[-2:] != "aa" else "bb")
    assert refusal(keys, wrong, ELSEWHERE) == "key-unknown"
    assert world.recorder.entries == []


def test_the_short_way_refuses_too_once_it_was_told(world: World, keys: ApiKeys, ada: Person) -> None:
    token = limited(keys, ada)
    keys.authenticate(token, HOME)
    assert keys.at_once(token, ELSEWHERE) is None  # there is something to tell
    refusal(keys, token, ELSEWHERE)
    if world.database.at_hand:
        assert keys.at_once(token, HOME) is not None
        with pytest.raises(Unauthenticated) as refused:
            keys.at_once(token, ELSEWHERE)
        assert refused.value.code == "key-network"
