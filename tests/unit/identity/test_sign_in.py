"""Signing in: what gives which strength, and what is told to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from argon2 import extract_parameters
from sqlalchemy import delete

from troth.identity.passwords import Argon2Profile, Passwords
from troth.identity.sign_in import Credentials
from troth.identity.store import totp, users
from troth.identity.throttle import network_bucket
from troth.identity.users import PASSWORD
from troth.kernel.errors import Invalid, TooMany, TrothError, Unauthenticated, Unavailable
from troth.kernel.record import checked_facts
from unit.identity.world import BLOCKED, CHEAP, TLS, Person, World


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


def test_who_had_a_second_factor_does_not_get_in_by_password_alone(world: World) -> None:
    ada = world.settled(world.tenant().id)
    with world.database.write() as connection:  # as after a move, which leaves passkeys behind
        connection.execute(delete(totp).where(totp.c.user == ada.id))
    with pytest.raises(Unauthenticated):
        world.sign_in(ada, code=None)
    done = world.sign_in(ada, code=None, recovery_code=ada.recovery_codes[0])
    assert done.proof.method == "password+recovery"


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


def test_the_tenant_s_own_log_knows_who_signed_in(world: World) -> None:
    ada = world.settled(world.tenant().id)
    world.recorder.entries.clear()
    done = world.sign_in(ada)
    (event,) = world.recorder.entries
    assert (event.log, event.tenant, event.actor, event.request) == (ada.tenant, ada.tenant, ada.id, "req_1")
    assert (event.operation, event.phase, event.outcome.value) == ("session.opened", "event", "done")
    assert event.facts == checked_facts({"user": ada.id, "session": done.session.id})


def test_a_session_without_its_record_is_none(world: World) -> None:
    ada = world.settled(world.tenant().id)
    before = len(world.sessions.list(ada.id))
    world.recorder.broken = True
    with pytest.raises(Unavailable):
        world.sign_in(ada)
    assert len(world.sessions.list(ada.id)) == before


def test_the_tenant_s_own_log_knows_what_failed(world: World) -> None:
    ada = world.settled(world.tenant().id)
    world.recorder.entries.clear()
    for _ in range(7):
        with pytest.raises(TrothError):
            world.sign_in(ada, password="wrong wrong wrong", code=None)
    codes = [event.code for event in world.recorder.entries]
    assert codes == ["sign-in-failed"] * 6 + ["sign-in-throttled"]
    assert {(event.log, event.actor, event.outcome.value) for event in world.recorder.entries} == {
        (ada.tenant, "anonymous", "refused")
    }
    assert world.recorder.entries[0].facts == {"user": ada.id}


def test_an_address_without_an_account_is_nobody_s_event(world: World) -> None:
    ada = world.settled(world.tenant().id)
    world.recorder.entries.clear()
    with pytest.raises(Unauthenticated):
        world.sign_in(ada, email="nobody@example.org")
    assert world.recorder.entries == []


def test_an_operator_signs_in_to_the_operator_s_log(world: World) -> None:
    made = world.bootstrap.operator("op@example.org", "eu")
    world.recorder.entries.clear()
    world.sign_in(Person(made.user, "operator", made.email, made.password, made.totp_secret))
    (event,) = world.recorder.entries
    assert (event.log, event.tenant, event.actor) == ("operator", None, made.user)


def test_a_neighbourhood_that_is_delayed_delays_nobody_elsewhere(world: World) -> None:
    ada = world.settled(world.tenant().id)
    bucket = network_bucket(TLS.network)
    for _ in range(bucket.limit.free + 1):
        world.throttle.admit([bucket])
    credentials = Credentials(ada.email, ada.password, world.code(ada))
    with pytest.raises(TooMany):
        world.signing_in.sign_in(credentials, TLS, "req_1")
    world.signing_in.sign_in(credentials, replace(TLS, network="network-b"), "req_1")
