"""Passkeys as WebAuthn Level 3 has them: what a browser is asked, and what its answer must show (sections 7.1, 7.2).

The library `webauthn` verifies. Its lax defaults are closed here: the person must have been verified by the device, the
answer must come from our own page and not from a frame, keys have a size, and attestations, which nobody asked for, are
taken only where they carry no certificates.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from troth.kernel.errors import Invalid, Unauthenticated, Unavailable

NAME = "Troth"
TIMEOUT_MS = 5 * 60 * 1000
# COSE names, the most wanted first: ML-DSA-65, ML-DSA-44, EdDSA, ES256, RS256.
ALGORITHMS = (-49, -48, -8, -7, -257)
MOST_CREDENTIAL = 1023  # bytes of a credential's id, WebAuthn section 4
_RSA_BITS, _RSA_EXPONENT = (2048, 4096), 1 << 32
_P256 = "secp256r1"
_SELF_MADE = frozenset({"none", "packed"})
# What the library and what it stands on say to bytes that are not what they should be.
_BROKEN = (ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a device answered to a registration. `client_data` and `attestation` as the browser gave them."""

    client_data: bytes
    attestation: bytes


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a device answered to a sign-in. `user_handle` is what it keeps beside a discoverable credential."""

    credential: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes


@dataclass(frozen=True, slots=True)
class Registered:
    """A new credential. `public_key` is a COSE key; `backed_up`: the device says that copies of it exist elsewhere."""

    credential: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a device is asked to make a passkey for. `handle` is opaque; the names are what the device shows."""

    handle: bytes
    email: str
    display_name: str


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: the domain that passkeys are bound to, and the addresses of its pages."""

    id: str
    origins: tuple[str, ...]

    def creation(self, challenge: bytes, person: Person, present: Sequence[bytes]) -> dict[str, Any]:
        """Options for `navigator.credentials.create` as JSON (section 5.4); `present` are ids that exist already."""
        return {
            "rp": {"id": self.id, "name": NAME},
            "user": {"id": encoded(person.handle), "name": person.email, "displayName": person.display_name},
            "challenge": encoded(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": one} for one in ALGORITHMS],
            "timeout": TIMEOUT_MS,
            "excludeCredentials": _described(present),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }

    def request(self, challenge: bytes, allowed: Sequence[bytes] = ()) -> dict[str, Any]:
        """Options for `navigator.credentials.get` as JSON (section 5.5); none `allowed` lets the device choose."""
        return {
            "rpId": self.id,
            "challenge": encoded(challenge),
            "timeout": TIMEOUT_MS,
            "allowCredentials": _described(allowed),
            "userVerification": "required",
        }

    def registered(self, answer: Attestation, challenge: bytes) -> Registered:
        """The credential that the answer shows. Raises `Invalid` (`passkey-refused`)."""
        return _strictly(lambda: self._registered(answer, challenge), _not_accepted)

    def asserted(self, answer: Assertion, challenge: bytes, public_key: bytes) -> int:
        """The device's counter after a genuine answer. Raises `Unauthenticated` (`passkey-refused`)."""
        return _strictly(lambda: self._asserted(answer, challenge, public_key), refusal)

    def _registered(self, answer: Attestation, challenge: bytes) -> Registered:
        from webauthn import verify_registration_response  # noqa: PLC0415
        from webauthn.helpers import parse_attestation_object  # noqa: PLC0415
        from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415
        from webauthn.helpers.structs import (  # noqa: PLC0415
            AuthenticatorAttestationResponse,
            RegistrationCredential,
        )

        statement = parse_attestation_object(answer.attestation)
        made = statement.auth_data.attested_credential_data
        if made is None or statement.fmt not in _SELF_MADE or statement.att_stmt.x5c is not None:
            raise ValueError
        seen = verify_registration_response(
            credential=RegistrationCredential(
                id=encoded(made.credential_id),
                raw_id=made.credential_id,
                response=AuthenticatorAttestationResponse(answer.client_data, answer.attestation),
            ),
            expected_challenge=challenge,
            expected_rp_id=self.id,
            expected_origin=list(self.origins),
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(one) for one in ALGORITHMS],
        )
        if not 0 < len(seen.credential_id) <= MOST_CREDENTIAL or not _usable(seen.credential_public_key):
            raise ValueError
        return Registered(seen.credential_id, seen.credential_public_key, seen.sign_count, seen.credential_backed_up)

    def _asserted(self, answer: Assertion, challenge: bytes, public_key: bytes) -> int:
        from webauthn import verify_authentication_response  # noqa: PLC0415
        from webauthn.helpers.structs import (  # noqa: PLC0415
            AuthenticationCredential,
            AuthenticatorAssertionResponse,
        )

        seen = verify_authentication_response(
            credential=AuthenticationCredential(
                id=encoded(answer.credential),
                raw_id=answer.credential,
                response=AuthenticatorAssertionResponse(
                    answer.client_data, answer.authenticator_data, answer.signature, answer.user_handle
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=self.id,
            expected_origin=list(self.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,  # the library looks before the signature is verified; we look after it
            require_user_verification=True,
        )
        return int(seen.new_sign_count)


def challenge_in(client_data: bytes) -> bytes:
    """The challenge that an answer names, not yet judged. Raises `Unauthenticated` (`passkey-refused`).

    An answer that was made inside a frame of another site is none (section 5.10.1: crossOrigin, topOrigin).
    """
    try:
        members = json.loads(client_data)
        if not isinstance(members, dict) or members.get("crossOrigin") or "topOrigin" in members:
            raise refusal()
        return decoded(members["challenge"])
    except _BROKEN as error:
        raise refusal() from error


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes of base64url text without padding. Raises ValueError for anything else, other spellings among it."""
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encoded(raw) != text:
        raise binascii.Error
    return raw


def refusal() -> Unauthenticated:
    """The one answer to everything that is wrong with a passkey."""
    return Unauthenticated(
        "The passkey was not accepted; try again, or sign in with your password and a code.", code="passkey-refused"
    )


def _not_accepted() -> Invalid:
    return Invalid(
        "This device's answer was not accepted: it must verify you (PIN, finger or face) and come from this page.",
        code="passkey-refused",
    )


def _strictly(verify: Callable[[], Result], refused: Callable[[], Exception]) -> Result:
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable(
            "Passkeys need the extra 'server': pip install 'troth[server]'.", code="extra-missing"
        ) from error
    try:
        return verify()
    except (WebAuthnException, InvalidSignature, UnsupportedAlgorithm, *_BROKEN):
        raise refused() from None  # what a library says of a stranger's bytes is nobody's business


def _usable(public_key: bytes) -> bool:
    """Whether the key is one of ours in kind and size: a device that attests nothing has not signed with it yet."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa  # noqa: PLC0415
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography  # noqa: PLC0415

    cose = decode_credential_public_key(public_key)
    key = decoded_public_key_to_cryptography(cose)
    if isinstance(key, rsa.RSAPublicKey):
        fits = _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1] and key.public_numbers().e < _RSA_EXPONENT
        return cose.alg == ALGORITHMS[4] and fits
    if isinstance(key, ec.EllipticCurvePublicKey):
        return cose.alg == ALGORITHMS[3] and key.curve.name == _P256
    if isinstance(key, ed25519.Ed25519PublicKey):
        return bool(cose.alg == ALGORITHMS[2])
    return isinstance(key, (mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey)) and cose.alg in ALGORITHMS[:2]


def _described(credentials: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": encoded(one)} for one in credentials]
