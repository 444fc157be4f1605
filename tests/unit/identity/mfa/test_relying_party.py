"""What a device answers, judged alone: every algorithm, every lie, and bytes that are none of ours."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from troth.identity.mfa.relying_party import (
    ALGORITHMS,
    Assertion,
    Attestation,
    Person,
    Registered,
    RelyingParty,
    challenge_in,
    decoded,
    encoded,
    refusal,
)
from troth.kernel.errors import Invalid, Unauthenticated
from troth.promises.authenticator import (
    EDDSA,
    ES256,
    ML_DSA_44,
    ML_DSA_65,
    PRESENT,
    RS256,
    VERIFIED,
    Authenticator,
    cose,
    sign,
)

ORIGIN = "https://troth.example.org"
PARTY = RelyingParty("troth.example.org", (ORIGIN,))
CHALLENGE = b"\x07" * 32
CREATION = PARTY.creation(CHALLENGE, Person(b"a handle", "ada@example.org", "Ada"), [b"known"])
REQUEST = PARTY.request(CHALLENGE)
NESTED = b"\x81" * 8000 + b"\x00"


def registered(device: Authenticator, **wrong: Any) -> Registered:
    return PARTY.registered(device.create(CREATION, **wrong), CHALLENGE)


def judged(answer: Assertion, made: Registered) -> int:
    """As `Passkeys.verify` asks: the challenge first."""
    if challenge_in(answer.client_data) != CHALLENGE:
        raise refusal()
    return PARTY.asserted(answer, CHALLENGE, made.public_key)


@pytest.fixture(scope="module")
def known() -> tuple[Authenticator, Registered]:
    """A device and what it registered; tests copy it."""
    device = Authenticator(ORIGIN)
    return device, registered(device)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_that_is_offered_works(algorithm: int) -> None:
    device = Authenticator(ORIGIN, algorithm=algorithm)
    made = registered(device)
    assert (made.credential, made.sign_count, made.backed_up) == (device.credential, 1, False)
    assert judged(device.get(REQUEST), made) == 2
    other = registered(Authenticator(ORIGIN, algorithm=algorithm))
    with pytest.raises(Unauthenticated):
        judged(device.get(REQUEST), other)


def test_what_is_asked() -> None:
    assert CREATION["excludeCredentials"] == [{"type": "public-key", "id": encoded(b"known")}]
    assert [one["alg"] for one in CREATION["pubKeyCredParams"]] == [-49, -48, -8, -7, -257]
    assert CREATION["authenticatorSelection"]["residentKey"] == "required"
    assert {CREATION["authenticatorSelection"]["userVerification"], REQUEST["userVerification"]} == {"required"}


def _tampered(answer: Assertion) -> Assertion:
    return replace(answer, signature=answer.signature[:-1] + bytes([answer.signature[-1] ^ 1]))


SPOILT: dict[str, Callable[[Assertion], Assertion]] = {
    "signature": _tampered,
    "no-signature": lambda one: replace(one, signature=b""),
    "authenticator-data": lambda one: replace(one, authenticator_data=one.authenticator_data[:-1] + b"\xff"),
    "short-data": lambda one: replace(one, authenticator_data=one.authenticator_data[:36]),
    "more-data": lambda one: replace(one, authenticator_data=one.authenticator_data + b"\x00"),
    "nested-data": lambda one: replace(one, authenticator_data=one.authenticator_data[:32] + b"\xc5" + NESTED),
    "client-data": lambda one: replace(one, client_data=one.client_data + b" "),
    "not-json": lambda one: replace(one, client_data=b"{"),
    "deep-json": lambda one: replace(one, client_data=b"[" * 100_000),
    "a-list": lambda one: replace(one, client_data=b"[]"),
    "no-utf-8": lambda one: replace(one, client_data=b"\xff\xfe\xfd"),
    "no-challenge": lambda one: replace(one, client_data=b"{}"),
    "number": lambda one: replace(one, client_data=b'{"challenge": 7}'),
    "other-alphabet": lambda one: replace(one, client_data=b'{"challenge": "+/=="}'),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_answer_is_refused(known: tuple[Authenticator, Registered], how: str) -> None:
    device, made = known
    answer = replace(device).get(REQUEST)
    assert judged(answer, made) > 0
    with pytest.raises(Unauthenticated) as refused:
        judged(SPOILT[how](answer), made)
    assert refused.value.code == "passkey-refused"


WRONG: dict[str, dict[str, Any]] = {
    "origin": {"origin": "https://troth.example.org.evil.example"},
    "plain-http": {"origin": "http://troth.example.org"},
    "other-port": {"origin": "https://troth.example.org:444"},
    "no-origin": {"origin": None},
    "list-of-origins": {"origin": [ORIGIN]},
    "rp-id": {"rp_id": "evil.example"},
    "type": {"type": "webauthn.create"},
    "frame": {"crossOrigin": True},
    "top-origin": {"topOrigin": "https://evil.example"},
    "challenge": {"challenge": encoded(b"\x00" * 32)},
}


@pytest.mark.parametrize("how", WRONG)
def test_an_answer_for_something_else_is_refused(known: tuple[Authenticator, Registered], how: str) -> None:
    device, made = known
    with pytest.raises(Unauthenticated):
        judged(replace(device).get(REQUEST, **WRONG[how]), made)


@pytest.mark.parametrize("how", [one for one in WRONG if one not in ("type", "frame", "top-origin")])
def test_a_registration_for_something_else_is_refused(how: str) -> None:
    with pytest.raises(Invalid):
        registered(Authenticator(ORIGIN), **WRONG[how])
    with pytest.raises(Invalid):
        registered(Authenticator(ORIGIN), type="webauthn.get")


@pytest.mark.parametrize("flags", [PRESENT, VERIFIED, 0])
def test_the_person_must_be_there_and_verified(known: tuple[Authenticator, Registered], flags: int) -> None:
    device, made = known
    with pytest.raises(Unauthenticated):
        judged(replace(device, flags=flags).get(REQUEST), made)
    with pytest.raises(Invalid):
        registered(Authenticator(ORIGIN, flags=flags))


def _made(key: Any, algorithm: int, **changes: Any) -> Attestation:
    """An attestation of a key that no honest device would make."""
    honest = Authenticator(ORIGIN)
    answer = honest.create(CREATION)
    said = cbor2.loads(answer.attestation)
    public = cbor2.dumps({**cose(key, algorithm), **changes.pop("cose", {})})
    size = 37 + 16 + 2 + len(honest.credential)
    said |= {"authData": said["authData"][:size] + public} | changes
    return replace(answer, attestation=cbor2.dumps(said))


def test_keys_that_are_none_of_ours_are_not_taken() -> None:
    p256, small = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
    attempts: list[Attestation] = [
        _made(small, RS256),
        _made(rsa.generate_private_key(65537, 2048), RS256, cose={-2: b"\x01" * 64}),
        _made(p256, ES256, cose={3: RS256}),
        _made(p256, ES256, cose={3: EDDSA}),
        _made(p256, ES256, cose={-1: 2}),
        _made(p256, ES256, cose={-2: b"\x01" * 32}),
        _made(p256, ES256, cose={1: 7, 3: ML_DSA_65, -1: b"short"}),
        _made(p256, ES256, cose={1: 7, 3: -50, -1: b"\x00" * 2592}),
        _made(p256, ES256, cose={3: ML_DSA_44}),
        _made(p256, ES256, fmt="tpm"),
        _made(p256, ES256, fmt="packed", attStmt={"alg": -7, "sig": b"x", "x5c": [b"x"]}),
        _made(p256, ES256, attStmt={"alg": -7}),
        _made(p256, ES256, authData=b"\x00" * 37),
    ]
    assert PARTY.registered(_made(p256, ES256), CHALLENGE).sign_count == 1
    for attempt in attempts:
        with pytest.raises(Invalid) as refused:
            PARTY.registered(attempt, CHALLENGE)
        assert refused.value.code == "passkey-refused"


def _day(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _packed(device: Authenticator, signer: Any, **more: Any) -> Attestation:
    """The device's answer with an attestation that verifies."""
    answer = device.create(CREATION)
    said = cbor2.loads(answer.attestation)
    seen = said["authData"] + hashlib.sha256(answer.client_data).digest()
    statement = {"alg": ES256, "sig": sign(signer or device.key, seen), **more}
    return replace(answer, attestation=cbor2.dumps(said | {"fmt": "packed", "attStmt": statement}))


def test_a_device_may_attest_itself_and_nobody_s_certificate_is_read() -> None:
    assert PARTY.registered(_packed(Authenticator(ORIGIN), None), CHALLENGE).sign_count == 1
    maker, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = x509.CertificateBuilder(name, name, maker.public_key(), 7, _day(2026), _day(2036))
    certificate = made.sign(maker, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(Invalid):
        PARTY.registered(_packed(Authenticator(ORIGIN), maker, x5c=[certificate]), CHALLENGE)


HUGE = {
    "nested": NESTED,
    "big-float": b"\xa1\x63fmt\xc5\x82\x1b\x00\x00\xff\xff\xff\xff\xff\xff\x01",
    "decimal": b"\xa1\x63fmt\xc4\x82\x1b\x00\x00\xff\xff\xff\xff\xff\xff\x01",
    "promised-bytes": b"\xa1\x63fmt\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "promised-list": b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "endless": b"\x9f" * 8000,
    "shared": b"\xd8\x1c\x81\xd8\x1d\x00",
    "empty": b"",
    "number": b"\x00",
}


@pytest.mark.parametrize("how", HUGE)
def test_huge_and_hostile_cbor_is_refused(how: str) -> None:
    answer = replace(Authenticator(ORIGIN).create(CREATION), attestation=HUGE[how])
    with pytest.raises(Invalid):
        PARTY.registered(answer, CHALLENGE)


@pytest.mark.parametrize("text", ["AA==", "+/", "A", "Ünïcode", "AB"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises((binascii.Error, UnicodeEncodeError)):
        decoded(text)
    assert decoded(encoded(b"\xff\xfe\xfd")) == b"\xff\xfe\xfd"
