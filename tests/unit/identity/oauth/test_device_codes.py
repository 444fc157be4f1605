"""Codes of devices: how long they wait, how often they are asked, and that the answer is given once."""

from __future__ import annotations

import re

import pytest

from troth.identity.oauth.device_codes import ALPHABET, LETTERS, LIFE_MS, Decider, DeviceCodes
from troth.identity.oauth.refusals import GrantRefused
from troth.kernel.errors import NotFound
from unit.identity.world import World

KEY = "k" * 43


@pytest.fixture
def codes(world: World) -> DeviceCodes:
    return DeviceCodes(world.database, world.clock)


@pytest.fixture
def ada(world: World) -> Decider:
    person = world.person(world.tenant().id, "member")
    return Decider(person.id, "ses_1", 2, 7)


def says(codes: DeviceCodes, code: str, key: str = KEY) -> str:
    with pytest.raises(GrantRefused) as caught:
        codes.redeem(code, key)
    return caught.value.code


def test_what_was_approved_is_given_once_to_the_key_that_began(codes: DeviceCodes, ada: Decider) -> None:
    begun = codes.begin(KEY, "public")
    codes.decide(begun.user_code, ada, approve=True)
    assert says(codes, begun.device_code, "t" * 43) == "invalid-grant"
    given = codes.redeem(begun.device_code, KEY)
    assert (given.user, given.session, given.assurance, given.verified_at) == (ada.user, "ses_1", 2, 7)
    assert says(codes, begun.device_code) == "invalid-grant"


def test_nobody_decides_twice(codes: DeviceCodes, ada: Decider) -> None:
    begun = codes.begin(KEY, "public")
    codes.decide(begun.user_code, ada, approve=False)
    for approve in (True, False):
        with pytest.raises(NotFound):
            codes.decide(begun.user_code, ada, approve=approve)
    with pytest.raises(NotFound):
        codes.look(begun.user_code)
    assert says(codes, begun.device_code) == "access-denied"


def test_asking_too_soon_slows_down_for_good(codes: DeviceCodes, world: World, ada: Decider) -> None:
    begun = codes.begin(KEY, "public")
    assert says(codes, begun.device_code) == "slow-down"
    world.clock.forward(seconds=5)
    assert says(codes, begun.device_code) == "slow-down"  # ten seconds now
    world.clock.forward(seconds=15)
    assert says(codes, begun.device_code) == "authorization-pending"
    codes.decide(begun.user_code, ada, approve=True)
    assert codes.redeem(begun.device_code, KEY).user == ada.user  # an answer is not kept back


def test_codes_end_after_ten_minutes_decided_or_not(codes: DeviceCodes, world: World, ada: Decider) -> None:
    waiting, approved = codes.begin(KEY, "public"), codes.begin(KEY, "public")
    codes.decide(approved.user_code, ada, approve=True)
    world.clock.forward(seconds=LIFE_MS / 1000)
    with pytest.raises(NotFound):
        codes.look(waiting.user_code)
    with pytest.raises(NotFound):
        codes.decide(waiting.user_code, ada, approve=True)
    assert says(codes, approved.device_code) == "expired-token"
    assert says(codes, waiting.device_code) == "expired-token"
    assert codes.sweep() == 0  # an answer takes the code away


def test_a_user_code_has_no_words_and_is_typed_in_any_way(codes: DeviceCodes) -> None:
    begun = codes.begin(KEY, "private")
    assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", begun.user_code)
    assert len(ALPHABET) ** LETTERS > 2**34
    for typed in (begun.user_code.lower(), begun.user_code.replace("-", ""), f" {begun.user_code.replace('-', ' ')} "):
        seen = codes.look(typed)
        assert (seen.zone, seen.key) == ("private", KEY[:12])
    assert len({codes.begin(KEY, "private").user_code for _ in range(20)}) == 20


def test_what_waits_is_bounded_and_swept(codes: DeviceCodes, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.identity.oauth.device_codes.MOST_WAITING", 2)
    codes.begin(KEY, "public")
    codes.begin(KEY, "public")
    with pytest.raises(Exception, match="Too many devices") as caught:
        codes.begin(KEY, "public")
    assert caught.value.code == "slow-down"  # type: ignore[attr-defined]
    world.clock.forward(seconds=LIFE_MS / 1000)
    assert codes.sweep() == 2
    codes.begin(KEY, "public")
