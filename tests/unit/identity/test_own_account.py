"""Own account: enrolment, replacement, step-up, change of password, and what each does to sessions."""

from __future__ import annotations

from dataclasses import replace

import pyotp
import pytest

from troth.kernel.caller import anonymous
from troth.kernel.errors import Conflict, Denied, TooMany, Unauthenticated
from unit.identity.world import TLS, Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.settled(world.tenant().id, "member")


def test_from_first_password_to_full_strength_in_one_session(world: World) -> None:
    new = world.person(world.tenant().id, "member")
    caller = world.caller(new)
    token = world.own.change_password(caller, new.password, "a fine new passphrase").token
    caller = world.sessions.authenticate(token, TLS)
    new.secret = world.own.enrol(caller, None).secret
    confirmed = world.own.confirm(caller, world.code(new))
    assert world.sessions.authenticate(confirmed.session.token, TLS).authentication.assurance == 2
    assert confirmed.session.id == caller.authentication.credential
    assert len(confirmed.recovery_codes) == 10


def test_a_factor_without_a_password_of_ones_own_is_not_enough(world: World) -> None:
    new = world.person(world.tenant().id, "member")
    caller = world.caller(new)
    new.secret = world.own.enrol(caller, None).secret
    token = world.own.confirm(caller, world.code(new)).session.token
    assert world.sessions.authenticate(token, TLS).authentication.assurance == 1
    token = world.own.change_password(world.sessions.authenticate(token, TLS), new.password, "a fine phrase").token
    assert world.sessions.authenticate(token, TLS).authentication.assurance == 2


def test_guessing_the_first_code_is_slowed(world: World) -> None:
    new = world.person(world.tenant().id)
    caller = world.caller(new)
    new.secret = world.own.enrol(caller, None).secret
    wrong = f"{(int(world.code(new)) + 1) % 1_000_000:06}"
    for _ in range(6):
        with pytest.raises(Unauthenticated):
            world.own.confirm(caller, wrong)
    with pytest.raises(TooMany):
        world.own.confirm(caller, world.code(new))
    world.clock.forward(seconds=30)
    world.own.confirm(caller, world.code(new))


def test_confirming_ends_all_other_sessions(world: World) -> None:
    new = world.person(world.tenant().id)
    thief, owner = world.sign_in(new).session.token, world.caller(new)
    new.secret = world.own.enrol(owner, None).secret
    world.own.confirm(owner, world.code(new))
    with pytest.raises(Unauthenticated):
        world.sessions.authenticate(thief, TLS)


def test_changing_the_password_ends_all_other_sessions_and_rotates_this_one(world: World, ada: Person) -> None:
    other, mine = world.sign_in(ada).session.token, world.sign_in(ada).session.token
    caller = world.sessions.authenticate(mine, TLS)
    fresh = world.own.change_password(caller, ada.password, "another fine passphrase")
    for old in (other, mine):
        with pytest.raises(Unauthenticated):
            world.sessions.authenticate(old, TLS)
    assert world.sessions.authenticate(fresh.token, TLS).authentication.assurance == 2


def test_replacing_a_factor_needs_the_present_one(world: World, ada: Person) -> None:
    caller = world.caller(ada)
    with pytest.raises(Unauthenticated):
        world.own.enrol(caller, None)
    world.clock.forward(seconds=30)
    fresh = world.own.enrol(caller, world.code(ada)).secret
    world.own.confirm(caller, pyotp.TOTP(fresh).at(world.clock.now()))
    world.clock.forward(seconds=30)
    with pytest.raises(Unauthenticated):
        world.sign_in(ada)
    ada.secret = fresh
    world.sign_in(ada)


def test_who_lost_the_device_replaces_it_after_a_recovery_code(world: World, ada: Person) -> None:
    signed_in = world.sign_in(ada, code=None, recovery_code=ada.recovery_codes[3])
    caller = world.sessions.authenticate(signed_in.session.token, TLS)
    ada.secret = world.own.enrol(caller, None).secret
    world.own.confirm(caller, world.code(ada))
    world.sign_in(ada)


def test_a_password_only_session_replaces_nothing(world: World) -> None:
    """A session from before the factor was set up, of somebody who had the first password too."""
    ada = world.settled(world.tenant().id)
    caller = world.caller(ada)
    weak = replace(caller, authentication=replace(caller.authentication, method="password", assurance=1))
    with pytest.raises(Denied) as refusal:
        world.own.enrol(weak, world.code(ada))
    assert refusal.value.code == "totp-required"


def test_step_up_renews_the_age_and_the_token(world: World, ada: Person) -> None:
    caller = world.caller(ada)
    world.clock.forward(minutes=20)
    fresh = world.own.step_up(caller, world.code(ada))
    assert world.sessions.authenticate(fresh.token, TLS).authentication.age_seconds == 0


def test_guessing_inside_a_session_is_slowed(world: World, ada: Person) -> None:
    caller = world.caller(ada)
    for _ in range(6):
        with pytest.raises(Unauthenticated):
            world.own.change_password(caller, "not the password", "a fine new passphrase")
    with pytest.raises(TooMany):
        world.own.change_password(caller, ada.password, "a fine new passphrase")
    with pytest.raises(TooMany):
        world.own.step_up(caller, world.code(ada))


def test_confirming_twice_is_a_conflict(world: World) -> None:
    new = world.person(world.tenant().id)
    caller = world.caller(new)
    new.secret = world.own.enrol(caller, None).secret
    world.own.confirm(caller, world.code(new))
    with pytest.raises(Conflict):
        world.own.confirm(caller, world.code(new))


def test_only_a_session_acts_on_an_account(world: World, ada: Person) -> None:
    key = replace(world.caller(ada), kind="api-key")
    for caller in (anonymous(TLS), replace(anonymous(TLS), subject=ada.id), key):
        with pytest.raises(Unauthenticated):
            world.own.enrol(caller, None)
