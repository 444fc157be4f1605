"""Signing in: what gives which strength, and what is told to whom."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters

from troth.identity.passwords import Argon2Profile, Passwords
from troth.identity.store import users
from troth.identity.users import PASSWORD
from troth.kernel.errors import Invalid, Unauthenticated
from unit.identity.world import BLOCKED, CHEAP, TLS, World


def test_password_and_code_give_full_strength(world: World) -> None:
    ada = world.settled(world.tenant().id, "member")
    done = world.sign_in(ada)
    assert (done.user, done.tenant, done.proof.method, done.proof.assurance) == (ada.id, ada.tenant, "password+totp", 2)
    assert done.missing == ()
    assert world.sessions.authenticate(done.session.token, TLS).authentication.assurance == 2


def test_a_new_person_is_told_what_is_missing(world: World) -> None:
    ada = world.person(world.tenant().id, "member")
    done = world.sign_in(ada)
    assert (done.proof.assurance, done.missing) == (1, ("password", "totp"))


def test_a_recovery_code_stands_in_once(world: World) -> None:
    ada = world.settled(world.tenant().id)
    code = ada.recovery_codes[0]
    assert world.sign_in(ada, code=None, recovery_code=code).proof.method == "password+recovery"
    with pytest.raises(Unauthenticated) as refusal:
        world.sign_in(ada, code=None, recovery_code=code)
    assert refusal.value.code == "sign-in-failed"


def test_a_used_code_has_a_refusal_of_its_own(world: World) -> None:
    ada = world.settled(world.tenant().id)
    code = world.code(ada)
    world.sign_in(ada, code=code)
    with pytest.raises(Unauthenticated) as refusal:
        world.sign_in(ada, code=code)
    assert refusal.value.code == "totp-replayed"


def test_the_address_is_read_in_any_spelling(world: World) -> None:
    ada = world.settled(world.tenant().id, email="ada@example.org")
    world.sign_in(ada, email="  ADA@Example.org")


def test_what_is_no_address_is_said_so(world: World) -> None:
    ada = world.settled(world.tenant().id)
    with pytest.raises(Invalid):
        world.sign_in(ada, email="ada")


def test_each_sign_in_is_a_session_of_its_own(world: World) -> None:
    ada = world.settled(world.tenant().id)
    first, second = world.sign_in(ada), world.sign_in(ada)
    assert first.session.id != second.session.id
    assert first.session.token != second.session.token


def test_the_device_keeps_what_it_was_given(world: World) -> None:
    ada = world.settled(world.tenant().id)
    ada.device = world.sign_in(ada).device
    assert world.sign_in(ada).device == ada.device


def test_a_hash_of_old_parameters_is_renewed_on_the_way(world: World) -> None:
    ada = world.settled(world.tenant().id)
    old = Passwords(Argon2Profile(64, 2, 1), BLOCKED).accept(ada.password)
    sealed = world.fields.seal(ada.tenant, ada.id, PASSWORD, old.encode())
    with world.database.write() as connection:
        connection.execute(users.update().where(users.c.id == ada.id).values(password=sealed))
    world.sign_in(ada)
    stored = world.users.password(world.users.account(world.users.email_index(ada.email)))
    assert extract_parameters(stored or "").memory_cost == CHEAP.memory_kib
    world.sign_in(ada)
