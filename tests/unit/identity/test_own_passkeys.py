"""One's own passkeys: the first factor, proving anew, names, removing, and what is left of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from troth.identity.mfa.passkeys import Owner
from troth.identity.store import passkeys
from troth.kernel.errors import NotFound, Unauthenticated
from troth.promises.authenticator import (
    Authenticator,
)
from unit.identity.passkey_world import adopt, device, enter, refused
from unit.identity.world import TLS, Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.settled(world.tenant().id, "member")


@pytest.fixture
def phone(world: World, ada: Person) -> Authenticator:
    """A device with a passkey of Ada's."""
    key = device()
    adopt(world, world.caller(ada), key)
    return key


def test_a_step_up_gives_a_new_token_and_a_fresh_proof(world: World, ada: Person, phone: Authenticator) -> None:
    caller = world.caller(ada)
    world.clock.forward(seconds=1200)
    opened = world.own_passkeys.step_up(caller, phone.get(world.own_passkeys.ask(caller)))
    fresh = world.at_device(opened.token)
    assert (fresh.authentication.method, fresh.authentication.age_seconds) == ("passkey", 0)
    world.own_passkeys.offer(fresh)
    world.own.prove(fresh, "")  # no code beside a passkey that was just shown
    refused("totp-wrong", lambda: world.own.prove(caller, ""))


def test_a_copied_session_makes_no_credential_of_its_own(world: World, ada: Person, phone: Authenticator) -> None:
    caller = enter(world, phone).session.token
    copied = world.sessions.authenticate(caller, TLS)  # a moment after the proof, and no device answers for it
    held = world.at_device(caller)
    (mine,) = world.own_passkeys.list(copied)
    made = device().create(world.own_passkeys.offer(held))
    for act in (
        lambda: world.own_passkeys.offer(copied),
        lambda: world.own_passkeys.add(copied, made, "thief"),
        lambda: world.own_passkeys.remove(copied, mine.id),
        lambda: world.own.prove(copied, ""),
    ):
        refused("device-unbound", act)
    assert world.own_passkeys.add(held, made, "Laptop")
    first = world.sessions.authenticate(world.sign_in(world.person(ada.tenant)).session.token, TLS)
    assert world.own_passkeys.offer(first)  # who has nothing yet sets up the first


def test_a_code_adds_no_second_passkey_and_a_recovery_code_does(
    world: World, ada: Person, phone: Authenticator
) -> None:
    by_code, by_passkey = world.caller(ada), world.at_device(enter(world, phone).session.token)
    assert by_code.authentication.method == "password+totp"
    told = refused("step-up-required", lambda: world.own_passkeys.offer(by_code))
    assert "one of your passkeys" in told.advice
    assert world.own_passkeys.offer(by_passkey)
    signed_in = world.sign_in(ada, code=None, recovery_code=ada.recovery_codes[0])
    assert world.own_passkeys.offer(world.at_device(signed_in.session.token))


def test_adding_a_passkey_makes_no_session_stronger(world: World, ada: Person) -> None:
    caller, key = world.caller(ada), device()
    done = world.own_passkeys.add(caller, key.create(world.own_passkeys.offer(caller)), "Mine")
    assert done.session.token
    after = world.sessions.authenticate(done.session.token, TLS).authentication
    assert (after.method, after.phishing_resistant) == ("password+totp", False)


def test_a_weak_or_old_session_adds_and_removes_nothing(world: World, ada: Person, phone: Authenticator) -> None:
    caller = world.caller(ada)
    old = replace(caller, authentication=replace(caller.authentication, age_seconds=901))
    weak = replace(caller, authentication=replace(caller.authentication, assurance=1))
    (mine,) = world.own_passkeys.list(caller)
    for who in (old, weak):
        refused("step-up-required", lambda who=who: world.own_passkeys.offer(who))
        refused("step-up-required", lambda who=who: world.own_passkeys.remove(who, mine.id))


def test_an_app_is_not_added_beside_a_passkey_by_a_weak_session(world: World) -> None:
    eve = world.person(world.tenant().id)
    caller = adopt(world, world.caller(eve), device())
    assert caller.authentication.assurance == 1  # the password was issued
    refused("step-up-required", lambda: world.own.enrol(caller, None))


def test_the_last_second_factor_stays(world: World) -> None:
    eve = world.person(world.tenant().id)
    token = world.own.change_password(world.caller(eve), eve.password, "violet harbour 78").token
    caller = adopt(world, world.sessions.authenticate(token, TLS), device(), "one")
    world.clock.forward(seconds=1)
    caller = adopt(world, caller, device(), "two")
    one, two = world.own_passkeys.list(caller)
    assert [one.name, two.name] == ["one", "two"]
    world.own_passkeys.remove(caller, one.id)
    refused("last-second-factor", lambda: world.own_passkeys.remove(caller, two.id))
    assert [left.id for left in world.own_passkeys.list(caller)] == [two.id]
    eve.secret = world.own.enrol(caller, None).secret
    confirmed = world.own.confirm(caller, world.code(eve))
    world.own_passkeys.remove(world.at_device(confirmed.session.token), two.id)
    assert world.own_passkeys.list(caller) == []


def test_removing_ends_the_other_sessions_and_the_passkey(world: World, ada: Person, phone: Authenticator) -> None:
    enter(world, phone)
    caller = world.caller(ada)
    (mine,) = world.own_passkeys.list(caller)
    assert mine.used_at is not None
    world.own_passkeys.remove(caller, mine.id)
    assert [one.id for one in world.sessions.list(ada.id)] == [caller.authentication.credential]
    refused("passkey-refused", lambda: enter(world, phone))


def test_a_name_is_changed_and_sealed(world: World, ada: Person, phone: Authenticator) -> None:
    del phone
    caller = world.caller(ada)
    (mine,) = world.own_passkeys.list(caller)
    world.own_passkeys.rename(caller, mine.id, "Ada's ring")
    assert [one.name for one in world.own_passkeys.list(caller)] == ["Ada's ring"]
    with world.database.read() as connection:
        row = connection.execute(select(passkeys)).one()
    assert not any(b"Ada" in value for value in row if isinstance(value, bytes))
    with pytest.raises(NotFound):
        world.own_passkeys.rename(caller, "psk_none", "x")


def test_a_new_name_is_sealed_before_the_transaction(
    world: World, ada: Person, phone: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rotation the first seal makes a key, in a transaction of its own."""
    del phone
    caller, seal = world.caller(ada), world.fields.seal
    (mine,) = world.own_passkeys.list(caller)

    def made(*given: Any) -> bytes:
        with world.database.write():
            return seal(*given)

    monkeypatch.setattr(world.fields, "seal", made)
    world.own_passkeys.rename(caller, mine.id, "Ada's ring")
    assert [one.name for one in world.own_passkeys.list(caller)] == ["Ada's ring"]


def test_twenty_are_enough(world: World, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.identity.mfa.passkeys.MOST_PASSKEYS", 1)
    caller = adopt(world, world.caller(ada), device())
    refused("too-many-passkeys", lambda: adopt(world, caller, device()))


def test_export_shows_passkeys_without_keys_and_erasure_drops_them(
    world: World, ada: Person, phone: Authenticator
) -> None:
    del phone
    shown = [one.content for one in world.holder.holdings(ada.tenant, ada.id) if one.kind == "passkey"]
    assert [(one["name"], sorted(one)) for one in shown] == [
        ("My phone", ["backed_up", "created_at", "name", "used_at"])
    ]
    assert json.dumps(shown)
    world.holder.forget(ada.tenant, ada.id)
    with world.database.read() as connection:
        assert connection.execute(select(passkeys)).all() == []
    assert world.passkeys.count(ada.id) == 0
    assert world.passkeys.list(Owner(ada.tenant, ada.id)) == []


def test_an_api_key_or_stranger_keeps_no_passkeys(world: World, ada: Person) -> None:
    caller = world.caller(ada)
    for other in (replace(caller, kind="api-key"), replace(caller, kind="anonymous")):
        with pytest.raises(Unauthenticated):
            world.own_passkeys.offer(other)
