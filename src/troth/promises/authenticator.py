"""A device with passkeys, in software: what WebAuthn section 6 asks of an authenticator, and how it can go wrong.

The self-checks sign in with it, and so do the tests: everything about its answers can be set, the honest way is the
default.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa

from troth.identity.mfa.relying_party import Assertion, Attestation, decoded, encoded

ES256, EDDSA, RS256, ML_DSA_44, ML_DSA_65 = -7, -8, -257, -48, -49
PRESENT, VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
BOTH = PRESENT | VERIFIED
_MLDSA: dict[int, Any] = {ML_DSA_44: mldsa.MLDSA44PrivateKey, ML_DSA_65: mldsa.MLDSA65PrivateKey}


@dataclass
class Authenticator:
    """One passkey on one device. `flags` are what it says of the person: present, verified."""

    origin: str
    algorithm: int = ES256
    flags: int = BOTH
    counts: bool = True
    counter: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    key: Any = None

    def create(self, options: Mapping[str, Any], **wrong: Any) -> Attestation:
        """The answer to a registration. `wrong`: members of the client data, and `rp_id`."""
        self.key, self.handle = _fresh_key(self.algorithm), decoded(options["user"]["id"])
        rp_id = wrong.pop("rp_id", options["rp"]["id"])
        public = cbor2.dumps(cose(self.key, self.algorithm))
        made = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + public
        said = {"fmt": "none", "attStmt": {}, "authData": self._data(rp_id, _ATTESTED) + made}
        return Attestation(self._client("webauthn.create", options, wrong), cbor2.dumps(said))

    def get(self, options: Mapping[str, Any], **wrong: Any) -> Assertion:
        """The answer to a sign-in. `wrong` as above."""
        data = self._data(wrong.pop("rp_id", options["rpId"]))
        client = self._client("webauthn.get", options, wrong)
        signature = sign(self.key, data + hashlib.sha256(client).digest())
        return Assertion(self.credential, client, data, signature, self.handle)

    def _data(self, rp_id: str, more: int = 0) -> bytes:
        self.counter += self.counts
        return hashlib.sha256(rp_id.encode()).digest() + bytes([self.flags | more]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, options: Mapping[str, Any], wrong: Mapping[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **wrong}).encode()


def cose(key: Any, algorithm: int) -> dict[int, Any]:
    """The public key as a COSE map (RFC 9053, RFC 9864 and draft-ietf-cose-dilithium)."""
    public = key.public_key()
    if algorithm == ES256:
        numbers = public.public_numbers()
        return {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    if algorithm == RS256:
        numbers = public.public_numbers()
        return {1: 3, 3: algorithm, -1: numbers.n.to_bytes(key.key_size // 8, "big"), -2: b"\x01\x00\x01"}
    kind = {1: 1, 3: algorithm, -1: 6} if algorithm == EDDSA else {1: 7, 3: algorithm}
    return kind | {-2 if algorithm == EDDSA else -1: public.public_bytes_raw()}


def sign(key: Any, data: bytes) -> bytes:
    """A signature as the key's kind makes it."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return bytes(key.sign(data))


def text_of(answer: Attestation | Assertion) -> dict[str, str]:
    """The answer as the operations take it: base64url by name."""
    names = answer.__dataclass_fields__
    return {name: encoded(getattr(answer, name)) for name in names}


def _fresh_key(algorithm: int) -> Any:
    if algorithm == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == RS256:
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if algorithm == EDDSA else _MLDSA[algorithm].generate()
