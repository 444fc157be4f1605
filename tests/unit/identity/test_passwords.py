"""Passwords: length, list, context, Unicode, argon2id parameters, and no shortcut for who does not exist."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from troth.identity.passwords import (
    MAXIMUM_LENGTH,
    OWASP_19_MIB,
    OWASP_46_MIB,
    RFC9106_LOW_MEMORY,
    Argon2Profile,
    Passwords,
)
from troth.kernel.errors import Invalid, TrothError, Unauthenticated
from unit.identity.world import BLOCKED, CHEAP

PASSWORDS = Passwords(CHEAP, BLOCKED)


@pytest.mark.parametrize(
    "password",
    [
        "violet harbour",
        "12 monkeys",
        "пароль из слов",
        "密码密码是很长的一句话",
        "        spaces",
        "a" * 250 + "bcdefg",
        "alice likes turtles",
        "🐢🐇🐢🐇🐢🐇🐢🐇🐌",
    ],
)
def test_long_is_enough_whatever_the_characters(password: str) -> None:
    stored = PASSWORDS.accept(password, ["Alice"])
    assert PASSWORDS.verify(stored, password) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password-too-short"),
        ("seven77", "password-too-short"),
        ("\ufb01\ufb01\ufb01", "password-too-short"),  # three ligatures are six letters
        ("x" + "y z" * 85 + "wv", "password-too-long"),
        ("qwerty123456", "password-blocked"),  # twelve characters, on the list (IDN-01)
        ("Password123", "password-blocked"),
        ("aaaaaaaaaaaaaaaa", "password-blocked"),
        ("abababababababab", "password-blocked"),
        ("3456789:;<=", "password-blocked"),
        ("zyxwvutsrqponm", "password-blocked"),
        ("Acme2026!", "password-context"),
        ("ALICE.acme.2026", "password-context"),
        ("half a pair \ud800", "password-unreadable"),
    ],
)
def test_what_is_refused_and_why(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        PASSWORDS.accept(password, ["acme", "alice", "troth", "of"])
    assert refusal.value.code == code
    assert password not in refusal.value.advice or not password


def test_one_password_in_two_unicode_forms_is_one_password() -> None:
    stored = PASSWORDS.accept("caf\u00e9 au lait tous les jours")
    assert PASSWORDS.verify(stored, "cafe\u0301 au lait tous les jours") is None


def test_the_verifier_is_argon2id_at_the_named_parameters() -> None:
    stored = Passwords(OWASP_19_MIB, BLOCKED).accept("violet harbour nine")
    found = extract_parameters(stored)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19456, 2, 1)


@pytest.mark.parametrize("profile", [OWASP_19_MIB, OWASP_46_MIB, RFC9106_LOW_MEMORY])
def test_no_named_profile_is_weaker_than_owasp_permits(profile: Argon2Profile) -> None:
    assert profile.memory_kib * profile.passes >= 38 * 1024


def test_a_wrong_password_and_nobody_look_the_same() -> None:
    stored = PASSWORDS.accept("violet harbour")
    seen = set()
    for given in (stored, None):
        with pytest.raises(Unauthenticated) as refusal:
            PASSWORDS.verify(given, "violet harbouR")
        seen.add((refusal.value.code, refusal.value.advice))
    assert len(seen) == 1


def test_nobody_costs_a_hash_of_the_same_parameters() -> None:
    calls: list[str] = []
    passwords = Passwords(CHEAP, BLOCKED)
    hasher = passwords._hasher

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            calls.append(str(hash))
            return hasher.verify(hash, password)

    passwords._hasher = Watched()
    with pytest.raises(Unauthenticated):
        passwords.verify(None, "violet harbour")
    assert extract_parameters(calls[0]) == extract_parameters(PASSWORDS.accept("violet harbour"))


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$AAAA"])
def test_a_damaged_verifier_is_a_refusal(stored: str) -> None:
    with pytest.raises(Unauthenticated):
        PASSWORDS.verify(stored, "violet harbour")


def test_an_overlong_password_is_not_cut_to_fit() -> None:
    password = "ab cd" * 51 + "e"
    assert len(password) == MAXIMUM_LENGTH
    stored = PASSWORDS.accept(password)
    with pytest.raises(Unauthenticated):
        PASSWORDS.verify(stored, password + "more")


def test_a_hash_of_old_parameters_is_renewed() -> None:
    old = Passwords(Argon2Profile(16, 1, 1), BLOCKED).accept("violet harbour")
    renewed = PASSWORDS.verify(old, "violet harbour")
    assert renewed is not None
    assert extract_parameters(renewed).memory_cost == CHEAP.memory_kib
    assert PASSWORDS.verify(renewed, "violet harbour") is None


def test_issued_passwords_differ_and_are_acceptable() -> None:
    issued = [PASSWORDS.issue() for _ in range(20)]
    assert len({password for password, _ in issued}) == 20
    for password, stored in issued:
        assert PASSWORDS.verify(stored, password) is None
        PASSWORDS.accept(password)


def test_refusals_are_typed() -> None:
    with pytest.raises(TrothError):
        PASSWORDS.verify(None, "\ud800" * 9)


@pytest.mark.parametrize(
    "password", ["violet harbou", "пароль из сло", "🐢🐇🐢🐇🐢🐇🐢🐇🐌🐢🐇🐢🐌🐢", "Acme violet harbor"]
)
def test_alone_a_password_is_longer_counted_in_characters(password: str) -> None:
    PASSWORDS.accept(password, ["Acme"])
    with pytest.raises(Invalid) as refusal:
        PASSWORDS.accept(password, ["Acme"], alone=True)
    assert refusal.value.code in ("password-too-short", "password-context")
    PASSWORDS.accept(password + " xyz", ["Acme"], alone=True)
