"""Own account: enrolment, replacement, step-up, change of password, and what each does to sessions."""

from __future__ import annotations

from dataclasses import replace

import pyotp
import pytest

from troth.kernel.caller import anonymous
from troth.kernel.errors import Conflict, Denied, Invalid, TooMany, Unauthenticated
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
    token = world.own.change_password(world.sessions.authenticate(token, TLS), new.password, "a fine phrase 15").token
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


def test_a_recovery_code_of_long_ago_replaces_nothing(world: World, ada: Person) -> None:
    signed_in = world.sign_in(ada, code=None, recovery_code=ada.recovery_codes[3])
    caller = world.sessions.authenticate(signed_in.session.token, TLS)
    offered = world.own.enrol(caller, None).secret
    world.clock.forward(minutes=16)
    stale = world.sessions.authenticate(signed_in.session.token, TLS)
    code = pyotp.TOTP(offered).at(world.clock.now())
    for act in (lambda: world.own.enrol(stale, None), lambda: world.own.confirm(stale, code)):
        with pytest.raises(Denied) as refusal:
            act()
        assert refusal.value.code == "step-up-required"


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


def test_who_has_only_recovery_codes_shows_one_before_a_factor_is_added(world: World) -> None:
    """A session of level 1, as by a provider, of somebody whose app or passkey stayed where they moved from."""
    new = world.person(world.tenant().id, "member")
    token = world.own.change_password(world.caller(new), new.password, "a fine new passphrase").token
    weak, (code, *_) = world.sessions.authenticate(token, TLS), world.recovery.renew(new.id)
    for add in (lambda: world.own.enrol(weak, None), lambda: world.own_passkeys.offer(weak)):
        with pytest.raises(Denied) as refusal:
            add()
        assert refusal.value.code == "step-up-required"
    with pytest.raises(Unauthenticated):
        world.own.step_up_by_recovery(weak, "aaaa-aaaa-aaaa-aaaa")
    strong = world.sessions.authenticate(world.own.step_up_by_recovery(weak, code).token, TLS)
    assert strong.authentication.assurance == 2
    assert world.own.enrol(strong, None).secret
    with pytest.raises(Unauthenticated):
        world.own.step_up_by_recovery(strong, code)


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
    caller = world.sessions.authenticate(world.own.change_password(caller, new.password, "a fine phrase 15").token, TLS)
    caller = world.sessions.authenticate(world.own.confirm(caller, world.code(new)).session.token, TLS)
    with pytest.raises(Conflict):
        world.own.confirm(caller, world.code(new))


def test_only_a_session_acts_on_an_account(world: World, ada: Person) -> None:
    key = replace(world.caller(ada), kind="api-key")
    for caller in (anonymous(TLS), replace(anonymous(TLS), subject=ada.id), key):
        with pytest.raises(Unauthenticated):
            world.own.enrol(caller, None)


def test_before_there_is_a_second_factor_a_password_is_longer(world: World) -> None:
    new = world.person(world.tenant().id)
    caller = world.caller(new)
    with pytest.raises(Invalid) as refusal:
        world.own.change_password(caller, new.password, "violet harbor7")
    assert refusal.value.code == "password-too-short"
    settled = world.settled(world.tenant().id)
    world.own.change_password(world.caller(settled), settled.password, "violet harbor7")
