"""Passkeys from the first to the last: making, signing in, proving anew, removing, and all that must be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from troth.identity.mfa.challenges import Challenges, Purpose
from troth.identity.mfa.relying_party import Assertion, RelyingParty, decoded, encoded
from troth.identity.passkey_sign_in import Answer
from troth.identity.sign_in import Credentials
from troth.identity.store import passkey_challenges, passkeys
from troth.kernel.errors import TooMany, Unauthenticated
from troth.promises.authenticator import (
    BOTH,
    ES256,
    ML_DSA_65,
    PRESENT,
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


@pytest.mark.parametrize("algorithm", [ES256, ML_DSA_65])
def test_a_passkey_alone_gives_full_strength(world: World, ada: Person, algorithm: int) -> None:
    key = device(algorithm=algorithm)
    adopt(world, world.caller(ada), key)
    done = enter(world, key)
    assert (done.user, done.tenant, done.missing) == (ada.id, ada.tenant, ())
    caller = world.sessions.authenticate(done.session.token, TLS)
    assert (caller.authentication.method, caller.authentication.assurance) == ("passkey", 2)
    assert caller.authentication.phishing_resistant
    assert done.proof.phishing_resistant


def test_both_halves_are_asked_for_verification_and_our_domain(world: World, ada: Person) -> None:
    options = world.own_passkeys.offer(world.caller(ada))
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert (options["rp"]["id"], options["attestation"]) == ("troth.example.org", "none")
    asked = world.by_passkey.begin(TLS).options
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == (
        "troth.example.org",
        "required",
        [],
    )


def test_a_passkey_is_the_second_factor_of_a_new_person(world: World) -> None:
    eve = world.person(world.tenant().id, "member")
    caller, elsewhere = world.caller(eve), world.caller(eve)
    token = world.own.change_password(caller, eve.password, "violet harbour 77").token
    elsewhere = world.sessions.authenticate(
        world.sign_in(replace(eve, password="violet harbour 77")).session.token, TLS
    )
    caller = world.sessions.authenticate(token, TLS)
    assert caller.authentication.assurance == 1
    key = device()
    done = world.own_passkeys.add(caller, key.create(world.own_passkeys.offer(caller)), "Laptop")
    assert len(done.recovery_codes) == 10
    added = world.at_device(done.session.token)
    assert (added.authentication.method, added.authentication.assurance) == ("password", 1), "it was not shown yet"
    shown = world.own_passkeys.step_up(added, key.get(world.own_passkeys.ask(added)))
    assert world.sessions.authenticate(shown.token, TLS).authentication.assurance == 2
    assert [one.id for one in world.sessions.list(eve.id)] == [done.session.id], "a session from before is over"
    assert elsewhere.authentication.credential != done.session.id
    assert enter(world, key).missing == ()
    given = Credentials(eve.email, "violet harbour 77", recovery_code=done.recovery_codes[0])
    assert world.signing_in.sign_in(given, TLS, "req_1").proof.method == "password+recovery"


def test_the_password_alone_opens_nothing_for_who_has_a_passkey(world: World) -> None:
    eve = world.person(world.tenant().id)
    adopt(world, world.caller(eve), device())
    refused("sign-in-failed", lambda: world.sign_in(eve))


def test_an_issued_password_still_has_to_be_changed(world: World) -> None:
    eve, key = world.person(world.tenant().id), device()
    adopt(world, world.caller(eve), key)
    done = enter(world, key)
    assert done.missing == ("password",)
    assert world.sessions.authenticate(done.session.token, TLS).authentication.assurance == 1


def test_the_person_must_be_verified(world: World, ada: Person, phone: Authenticator) -> None:
    phone.flags = PRESENT
    refused("passkey-refused", lambda: enter(world, phone))
    phone.flags = BOTH
    caller = world.at_device(enter(world, phone).session.token)
    lax = device(flags=PRESENT)
    refused("passkey-refused", lambda: adopt(world, caller, lax))


def _tampered(answer: Assertion) -> Assertion:
    return replace(answer, signature=answer.signature[:-1] + bytes([answer.signature[-1] ^ 1]))


SPOILT: tuple[Callable[[Assertion], Assertion], ...] = (
    _tampered,
    lambda one: replace(one, client_data=b"{"),
    lambda one: replace(one, user_handle=b"somebody else"),
    lambda one: replace(one, user_handle=b""),
    lambda one: replace(one, credential=b"unknown"),
)


def test_a_spoilt_answer_is_refused(world: World, phone: Authenticator) -> None:
    for spoil in SPOILT:
        begun = world.by_passkey.begin(TLS)
        answer = Answer(begun.attempt, spoil(phone.get(begun.options)))
        refused("passkey-refused", partial(world.by_passkey.finish, answer, TLS, "req_1"))
    refused("passkey-refused", lambda: enter(world, phone, origin="https://evil.example"))
    refused("passkey-refused", lambda: enter(world, phone, challenge=encoded(b"\x00" * 32)))
    enter(world, phone)  # and the honest way still works


def test_a_challenge_is_good_once(world: World, phone: Authenticator) -> None:
    begun = world.by_passkey.begin(TLS)
    answer = Answer(begun.attempt, phone.get(begun.options))
    world.by_passkey.finish(answer, TLS, "req_1")
    refused("passkey-refused", lambda: world.by_passkey.finish(answer, TLS, "req_1"))
    again = Answer(begun.attempt, phone.get(begun.options))
    refused("passkey-refused", lambda: world.by_passkey.finish(again, TLS, "req_1"))


def test_a_challenge_that_failed_is_used_up(world: World, phone: Authenticator) -> None:
    begun = world.by_passkey.begin(TLS)
    good = phone.get(begun.options)
    for answer in (_tampered(good), good):
        refused(
            "passkey-refused", lambda answer=answer: world.by_passkey.finish(Answer(begun.attempt, answer), TLS, "r")
        )


def test_a_challenge_lives_five_minutes_and_is_kept_as_a_hash(world: World, phone: Authenticator) -> None:
    begun = world.by_passkey.begin(TLS)
    with world.database.read() as connection:
        kept = connection.execute(select(passkey_challenges.c.digest)).scalars().all()
    assert decoded(begun.options["challenge"]) not in kept
    assert len(kept) == 1
    world.clock.forward(seconds=300)
    answer = Answer(begun.attempt, phone.get(begun.options))
    refused("passkey-refused", lambda: world.by_passkey.finish(answer, TLS, "req_1"))
    world.by_passkey.begin(TLS)
    with world.database.read() as connection:
        assert len(connection.execute(select(passkey_challenges.c.digest)).all()) == 1, "old ones are swept on the way"


def test_a_challenge_of_another_attempt_session_or_purpose_is_none(
    world: World, ada: Person, phone: Authenticator
) -> None:
    one, two = world.by_passkey.begin(TLS), world.by_passkey.begin(TLS)
    answer = Answer(two.attempt, phone.get(one.options))
    refused("passkey-refused", lambda: world.by_passkey.finish(answer, TLS, "req_1"))
    here, there = (world.at_device(enter(world, phone).session.token) for _ in range(2))
    made = device().create(world.own_passkeys.offer(here))
    refused("passkey-refused", lambda: world.own_passkeys.add(there, made, "stolen"))
    asked = phone.get(world.own_passkeys.ask(here))
    refused("passkey-refused", lambda: world.own_passkeys.step_up(there, asked))
    for_another = {**world.own_passkeys.ask(here), "challenge": world.own_passkeys.offer(here)["challenge"]}
    refused("passkey-refused", lambda: world.own_passkeys.step_up(here, phone.get(for_another)))
    stranger = world.by_passkey.begin(TLS)
    refused("passkey-refused", lambda: world.own_passkeys.step_up(here, phone.get(stranger.options)))
    both = {**world.own_passkeys.ask(here), **stranger.options}
    challenge = world.own_passkeys.ask(here)["challenge"]
    wrong = Answer(stranger.attempt, phone.get(both | {"challenge": challenge}))
    refused("passkey-refused", lambda: world.by_passkey.finish(wrong, TLS, "req_1"))


def test_a_counter_that_goes_back_is_refused_and_recorded(world: World, ada: Person, phone: Authenticator) -> None:
    enter(world, phone)
    copy = replace(phone, counter=0)
    world.recorder.entries.clear()
    refused("passkey-counter", lambda: enter(world, copy))
    (event,) = world.recorder.entries
    assert (event.operation, event.code, event.log) == ("session.refused", "passkey-counter", ada.tenant)
    refused("passkey-counter", lambda: enter(world, replace(phone, counter=phone.counter - 1)))  # the same again
    forged = replace(phone, counter=0, key=ec.generate_private_key(ec.SECP256R1()))
    refused("passkey-refused", lambda: enter(world, forged))  # who has no key learns nothing of the counter
    enter(world, phone)


def test_a_device_that_does_not_count_works_until_it_does(world: World, ada: Person) -> None:
    key = device(counts=False)
    adopt(world, world.caller(ada), key)
    enter(world, key)
    enter(world, key)
    key.counts = True
    enter(world, key)
    refused("passkey-counter", lambda: enter(world, replace(key, counts=False, counter=0)))


def test_what_is_refused_is_recorded_for_its_person_alone(world: World, ada: Person, phone: Authenticator) -> None:
    world.recorder.entries.clear()
    refused("passkey-refused", lambda: enter(world, device(handle=phone.handle, key=phone.key)))
    assert world.recorder.entries == []
    refused("passkey-refused", lambda: enter(world, phone, origin="https://evil.example"))
    (event,) = world.recorder.entries
    assert (event.operation, event.actor, event.facts) == ("session.refused", "anonymous", {"user": ada.id})
    done = enter(world, phone)
    opened = world.recorder.entries[-1]
    assert (opened.operation, opened.facts["session"]) == ("session.opened", done.session.id)


def test_another_person_s_passkey_proves_nothing_here(world: World, ada: Person, phone: Authenticator) -> None:
    for tenant in (ada.tenant, world.tenant("Other").id):
        eve = world.settled(tenant)
        caller = world.caller(eve)
        answer = phone.get(world.own_passkeys.ask(caller))
        refused("passkey-refused", lambda caller=caller, answer=answer: world.own_passkeys.step_up(caller, answer))
        (hers,) = world.own_passkeys.list(world.caller(ada))
        for act in (
            lambda caller=caller, mine=hers.id: world.own_passkeys.remove(caller, mine),
            lambda caller=caller, mine=hers.id: world.own_passkeys.rename(caller, mine, "mine"),
        ):
            refused("passkey-not-found", act)
        assert world.own_passkeys.list(caller) == []
    enter(world, phone)


def test_a_public_key_put_in_place_from_another_row_opens_nothing(
    world: World, ada: Person, phone: Authenticator
) -> None:
    eve, own = world.settled(ada.tenant), device()
    adopt(world, world.caller(eve), own)
    with world.database.write() as connection:
        key = connection.execute(select(passkeys.c.public_key).where(passkeys.c.user == eve.id)).scalar_one()
        connection.execute(update(passkeys).where(passkeys.c.user == ada.id).values(public_key=key))
    begun = world.by_passkey.begin(TLS)
    forged = replace(own, credential=phone.credential, handle=phone.handle)
    refused("integrity", lambda: world.by_passkey.finish(Answer(begun.attempt, forged.get(begun.options)), TLS, "r"))


def test_a_credential_is_one_person_s(world: World, ada: Person, phone: Authenticator) -> None:
    eve = world.caller(world.settled(ada.tenant))
    twin = device(credential=phone.credential)
    refused("passkey-known", lambda: adopt(world, eve, twin))
    excluded = world.own_passkeys.offer(world.at_device(enter(world, phone).session.token))["excludeCredentials"]
    assert [one["id"] for one in excluded] == [encoded(phone.credential)]


def test_a_disabled_or_erased_person_does_not_come_in(world: World, ada: Person, phone: Authenticator) -> None:
    admin = world.caller(world.settled(ada.tenant, "owner"))
    world.users.disable(admin, ada.id)
    refused("passkey-refused", lambda: enter(world, phone))
    world.fields.destroy(ada.tenant, ada.id)
    refused("passkey-refused", lambda: enter(world, phone))


def test_challenges_are_throttled_and_a_sign_in_gives_them_back(world: World, phone: Authenticator) -> None:
    for _ in range(3):
        enter(world, phone)
    with pytest.raises(TooMany):
        for _ in range(700):
            world.by_passkey.begin(TLS)
    world.by_passkey.begin(replace(TLS, network="network-b"))


def test_a_deployment_that_moves_to_another_domain_takes_no_old_passkey(world: World, phone: Authenticator) -> None:
    moved = replace(world.passkeys, party=RelyingParty("other.example", ("https://other.example",)))
    holder = "attempt"
    options = moved.party.request(Challenges(world.database, world.clock).issue(Purpose.SIGN_IN, holder))
    answer = phone.get({**options, "rpId": "troth.example.org"})
    with pytest.raises(Unauthenticated):
        moved.verify(moved.find(phone.credential), answer, Purpose.SIGN_IN, holder)
