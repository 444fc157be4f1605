"""Refresh tokens: once each, for one key, as long as the session stands."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from troth.identity.oauth.families import Families, Family
from troth.identity.oauth.refusals import GrantRefused
from troth.identity.sessions import Proof
from troth.kernel.caller import Device
from unit.identity.world import Person, World

KEY = "k" * 43


@dataclass
class Given:
    families: Families
    person: Person
    session: str
    token: str


@pytest.fixture
def given(world: World) -> Given:
    person = world.person(world.tenant().id, "member")
    opened = world.sessions.open(person.id, Proof("device-code", 2), "public")
    world.sessions.bind_to(opened.id, Device("dpop", KEY))
    families = Families(world.database, world.clock, world.sessions)
    return Given(families, person, opened.id, families.begin(Family(opened.id, person.id, KEY, opened.expires_at)))


def gone(given: Given, token: str, key: str = KEY) -> None:
    with pytest.raises(GrantRefused) as caught:
        given.families.turn(token, key)
    assert caught.value.code == "invalid-grant"


def test_each_token_is_followed_by_the_next(given: Given) -> None:
    token = given.token
    for _ in range(3):
        family, token = given.families.turn(token, KEY)
        assert (family.session, family.user) == (given.session, given.person.id)


def test_a_used_one_ends_the_session_and_all_that_followed(given: Given, world: World) -> None:
    _, second = given.families.turn(given.token, KEY)
    gone(given, given.token)
    gone(given, second)
    assert world.sessions.list(given.person.id) == []


def test_another_key_uses_nothing_up_and_ends_nothing(given: Given, world: World) -> None:
    gone(given, given.token, "t" * 43)
    assert [one.id for one in world.sessions.list(given.person.id)] == [given.session]
    given.families.turn(given.token, KEY)


@pytest.mark.parametrize("minutes", [30, 12 * 60])
def test_rest_and_length_of_the_session_end_it_too(given: Given, world: World, minutes: int) -> None:
    world.clock.forward(minutes=minutes)
    gone(given, given.token)


def test_who_is_shut_out_gets_no_next_token(given: Given, world: World) -> None:
    boss = world.settled(given.person.tenant, "owner")
    world.users.disable(world.caller(boss), given.person.id)
    gone(given, given.token)


def test_the_family_is_found_by_either_token_and_ends_whole(given: Given, world: World) -> None:
    found = given.families.find(given.token)
    assert found is not None
    assert given.families.find("troth_rt_unknown") is None
    given.families.end(found.session)
    assert world.sessions.list(given.person.id) == []
    gone(given, given.token)


def test_tokens_of_sessions_that_are_gone_are_swept(given: Given, world: World) -> None:
    assert given.families.sweep() == 0
    world.sessions.revoke(given.person.id, given.session)
    assert given.families.sweep() == 1
