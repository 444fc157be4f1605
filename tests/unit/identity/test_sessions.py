"""Sessions: limits of rest and life, rotation, replay of a rotated token, revocation, and who stands behind them."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from troth.identity.devices.shown import Scheme, Shown
from troth.identity.sessions import Proof
from troth.identity.store import sessions
from troth.kernel.caller import Device
from troth.kernel.errors import NotFound, Unauthenticated
from unit.identity.world import TLS, Person, World

STRONG = Proof("password+totp", 2)


@pytest.fixture
def ada(world: World) -> Person:
    return world.settled(world.tenant(jurisdiction="au").id, "member", "auditor")


def code_of(world: World, token: str) -> str:
    """The code with which a token is refused."""
    with pytest.raises(Unauthenticated) as refusal:
        world.sessions.authenticate(token, TLS)
    return refusal.value.code


def test_a_session_is_its_person_as_they_stand(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    world.clock.forward(minutes=3)
    caller = world.sessions.authenticate(opened.token, TLS)
    assert (caller.actor, caller.subject, caller.kind, caller.tenant) == (ada.id, ada.id, "user", ada.tenant)
    assert (caller.roles, caller.jurisdiction, caller.connection) == ({"member", "auditor"}, "au", TLS)
    proof = caller.authentication
    assert (proof.method, proof.assurance, proof.age_seconds, proof.credential) == ("password+totp", 2, 180, opened.id)


@pytest.mark.parametrize("token", ["", "troth_st_", "troth_st_" + "a" * 52, "x" * 10_000, "Ω"])
def test_an_unknown_token_is_refused(world: World, token: str) -> None:
    assert code_of(world, token) == "session-unknown"


def test_rest_ends_a_session_and_use_keeps_it(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    for _ in range(4):
        world.clock.forward(minutes=29)
        world.sessions.authenticate(opened.token, TLS)
    world.clock.forward(minutes=30)
    assert code_of(world, opened.token) == "session-expired"


def test_no_session_outlives_twelve_hours(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    for _ in range(35):
        world.clock.forward(minutes=20)
        world.sessions.authenticate(opened.token, TLS)
    opened_again = world.sessions.rotate(opened.id, STRONG)
    assert opened_again.expires_at == opened.expires_at
    world.clock.forward(minutes=20)
    assert code_of(world, opened_again.token) == "session-expired"


def test_use_is_written_at_most_once_a_minute(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")

    def seen() -> int:
        with world.database.read() as connection:
            return int(connection.execute(select(sessions.c.seen_at).where(sessions.c.id == opened.id)).scalar_one())

    first = seen()
    world.clock.forward(seconds=59)
    world.sessions.authenticate(opened.token, TLS)
    assert seen() == first
    world.clock.forward(seconds=1)
    world.sessions.authenticate(opened.token, TLS)
    assert seen() == first + 60_000


def test_rotation_ends_the_old_token_and_keeps_the_session(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, Proof("password", 1), "public")
    world.clock.forward(minutes=5)
    rotated = world.sessions.rotate(opened.id, STRONG)
    caller = world.sessions.authenticate(rotated.token, TLS)
    assert (caller.authentication.assurance, caller.authentication.age_seconds) == (2, 0)
    assert caller.authentication.credential == opened.id
    assert code_of(world, opened.token) == "session-replayed"


def test_rotation_without_a_new_proof_keeps_strength_and_age(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    world.clock.forward(minutes=5)
    caller = world.sessions.authenticate(world.sessions.rotate(opened.id).token, TLS)
    assert (caller.authentication.assurance, caller.authentication.age_seconds) == (2, 300)


def test_a_page_that_still_held_the_old_token_does_not_end_the_session(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    rotated = world.sessions.rotate(opened.id)
    world.clock.forward(seconds=29)
    assert code_of(world, opened.token) == "session-replayed"
    world.sessions.authenticate(rotated.token, TLS)


def test_a_rotated_token_shown_later_ends_the_session(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    rotated = world.sessions.rotate(opened.id)
    world.clock.forward(seconds=30)
    assert code_of(world, opened.token) == "session-replayed"
    assert code_of(world, rotated.token) == "session-unknown"


def test_an_old_token_alone_ends_no_session_of_a_device(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    world.sessions.bind_to(opened.id, Device("dpop", "thumbprint-of-the-owner"))
    world.sessions.rotate(opened.id)
    world.clock.forward(seconds=30)
    assert code_of(world, opened.token) == "session-replayed"
    assert opened.id in [one.id for one in world.sessions.list(ada.id)]


def test_a_copy_that_no_device_answers_for_keeps_nobody_signed_in(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    with world.database.write() as connection:
        mine = update(sessions).where(sessions.c.id == opened.id)
        connection.execute(mine.values(bound="webcrypto", thumbprint="of-the-browser", bound_at=1))
    for _ in range(2):
        world.clock.forward(minutes=14)
        caller = world.sessions.authenticate(opened.token, TLS, Shown(Scheme.COOKIE))
        assert caller.device.bound is None
    world.clock.forward(minutes=2)
    with pytest.raises(Unauthenticated) as refusal:
        world.sessions.authenticate(opened.token, TLS, Shown(Scheme.COOKIE))
    assert refusal.value.code == "session-expired"


def test_a_session_that_is_gone_is_not_rotated(world: World, ada: Person) -> None:
    with pytest.raises(NotFound):
        world.sessions.rotate("ses_gone", STRONG)


def test_people_end_their_own_sessions_only(world: World, ada: Person) -> None:
    eve = world.settled(ada.tenant)
    opened = world.sessions.open(ada.id, STRONG, "public")
    with pytest.raises(NotFound):
        world.sessions.revoke(eve.id, opened.id)
    world.sessions.authenticate(opened.token, TLS)
    world.sessions.revoke(ada.id, opened.id)
    assert code_of(world, opened.token) == "session-unknown"
    with pytest.raises(NotFound):
        world.sessions.revoke(ada.id, opened.id)


def test_the_list_shows_what_holds(world: World, ada: Person) -> None:
    world.sessions.revoke_others(ada.id, None)
    resting = world.sessions.open(ada.id, STRONG, "private")
    world.clock.forward(minutes=31)
    running = world.sessions.open(ada.id, Proof("password", 1), "public")
    assert [(one.id, one.method, one.zone) for one in world.sessions.list(ada.id)] == [
        (running.id, "password", "public")
    ]
    assert world.sessions.sweep() == 1
    assert code_of(world, resting.token) == "session-unknown"


def test_others_are_ended_and_one_is_kept(world: World, ada: Person) -> None:
    world.sessions.revoke_others(ada.id, None)
    kept, other = (world.sessions.open(ada.id, STRONG, "public") for _ in range(2))
    assert world.sessions.revoke_others(ada.id, kept.id) == 1
    world.sessions.authenticate(kept.token, TLS)
    assert code_of(world, other.token) == "session-unknown"


def test_a_password_that_somebody_else_chose_gives_no_full_strength(world: World) -> None:
    person = world.person(world.tenant().id, "member")
    opened = world.sessions.open(person.id, STRONG, "public")
    assert world.sessions.authenticate(opened.token, TLS).authentication.assurance == 1


def test_tokens_are_random_and_long(world: World, ada: Person) -> None:
    tokens = {world.sessions.open(ada.id, STRONG, "public").token for _ in range(50)}
    assert len(tokens) == 50
    assert all(token.startswith("troth_st_") and len(token) == 9 + 52 for token in tokens)


def test_the_short_way_gives_the_same_caller_once_nothing_is_to_be_written(world: World, ada: Person) -> None:
    opened = world.sessions.open(ada.id, STRONG, "public")
    caller = world.sessions.authenticate(opened.token, TLS)
    assert world.sessions.at_once(opened.token, TLS) == (caller if world.database.at_hand else None)
    world.clock.forward(seconds=61)
    assert world.sessions.at_once(opened.token, TLS) is None  # the time of the last request is to be written


def test_the_short_way_leaves_a_token_that_does_not_hold_to_the_long_one(world: World, ada: Person) -> None:
    first = world.sessions.open(ada.id, STRONG, "public")
    world.sessions.rotate(first.id)
    assert world.sessions.at_once(first.token, TLS) is None
    assert world.sessions.at_once("troth_st_" + "a" * 52, TLS) is None
