"""Public keys that services register (RFC 7517): P-256 or Ed25519, one algorithm each, and never a private part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from troth.identity.mfa.relying_party import decoded
from troth.kernel.errors import Invalid

ALGORITHMS = ("ES256", "Ed25519")
_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
_SIZE = 32  # bytes of a coordinate, of an Ed25519 key, and of half a signature
_ES256 = ec.ECDSA(hashes.SHA256())


def public_jwk(given: Mapping[str, Any]) -> dict[str, str]:
    """The members that make the key, and no others. Raises `Invalid` (`bad-jwk`) for any other kind of key, a point
    off its curve, or a key that brings its private part."""
    kept = {name: str(given.get(name, "")) for name in _MEMBERS.get(str(given.get("kty")), ())}
    if not kept or "d" in given:
        raise _bad_jwk()
    try:
        _key(kept)
    except ValueError:
        raise _bad_jwk() from None
    return kept


def algorithm_of(jwk: Mapping[str, str]) -> str:
    """The one algorithm that a registered key signs by."""
    return "ES256" if jwk["kty"] == "EC" else "Ed25519"


def verify(jwk: Mapping[str, str], signature: bytes, message: bytes) -> None:
    """Raises `ValueError` for whatever this key did not sign (RFC 7518 section 3.4, RFC 8037 section 3.1)."""
    key = _key(jwk)
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
            return
        if len(signature) != 2 * _SIZE:
            raise ValueError
        halves = (int.from_bytes(half) for half in (signature[:_SIZE], signature[_SIZE:]))
        key.verify(encode_dss_signature(*halves), message, _ES256)
    except InvalidSignature:
        raise ValueError from None


def _key(jwk: Mapping[str, str]) -> Ed25519PublicKey | ec.EllipticCurvePublicKey:
    parts = [decoded(jwk[name]) for name in ("x", "y") if name in jwk]
    if any(len(part) != _SIZE for part in parts):
        raise ValueError
    if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
        return Ed25519PublicKey.from_public_bytes(parts[0])
    if jwk["kty"] == "EC" and jwk["crv"] == "P-256":
        x, y = (int.from_bytes(part) for part in parts)
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raise ValueError


def _bad_jwk() -> Invalid:
    return Invalid(
        "Give the public half of a P-256 or Ed25519 key as JWK; a private key stays where it was made.",
        code="bad-jwk",
        field="jwk",
    )
