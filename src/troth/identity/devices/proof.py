"""Proofs that whoever asks holds a key: compact JWS (RFC 7515) whose header carries the public key itself.

Strict where the standards leave room: two algorithms, each with its one kind of key; no member of a header that we do
not know; base64url in its one spelling; no name twice in an object; everything small.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from troth.identity.mfa.relying_party import decoded, encoded
from troth.kernel.errors import Unauthenticated

WINDOW_MS = 60 * 1000  # how far a proof's time may be from ours, on either side
MOST_PROOF = 4096  # characters of a whole proof
MOST_ID = 128  # characters of `jti`
ALGORITHMS = ("ES256", "Ed25519")  # RFC 9864: fully specified; "EdDSA" leaves the curve open and is refused
_HEADER = frozenset({"alg", "typ", "jwk"})
_BYTES = 32  # of a coordinate, of an Ed25519 key and of either half of a signature
# Required members of each kind of key, in the order of a thumbprint (RFC 7638 section 3.2, RFC 8037 appendix A.3).
_MEMBERS = {"ES256": ("crv", "kty", "x", "y"), "Ed25519": ("crv", "kty", "x")}
_FIXED = {"ES256": {"kty": "EC", "crv": "P-256"}, "Ed25519": {"kty": "OKP", "crv": "Ed25519"}}
_SPOKEN = frozenset({"alg", "use", "kid"})  # what a public key may say of itself besides; none of it is relied on
_BROKEN = (ValueError, KeyError, TypeError, binascii.Error, RecursionError, InvalidSignature)


class Kind(StrEnum):
    """What a proof is for, as its `typ` says: one kind never stands for another."""

    DPOP = "dpop+jwt"  # RFC 9449: each request of a program
    DBSC = "dbsc+jwt"  # Device Bound Session Credentials: the browser itself
    PORTAL = "troth-device+jwt"  # the portal's script, where the browser has no DBSC


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds. `thumbprint`: SHA-256 by RFC 7638, base64url; `jwk`: the required public members.

    `jti` is the proof's own id, or the challenge that it answers; `issued_at` in epoch milliseconds, None without time.
    """

    thumbprint: str
    jwk: dict[str, str]
    jti: str
    issued_at: int | None


def verify_proof(
    jws: str,
    *,
    kind: Kind,
    method: str,
    url_ok: Callable[[str], bool],
    now: int,
    token: str | None,
    challenge: str | None,
    key: Mapping[str, str] | None = None,
) -> Proof:
    """What a proof shows, for one request. Raises `Unauthenticated` (`proof-invalid`), whatever is wrong with it.

    `url_ok` is told the address that the proof names (`htu`); `now` in epoch milliseconds. With `token` the proof must
    name its hash (`ath`), without one it must name none. `challenge` must come back: as `nonce` of DPoP, as `jti` of
    the others, which have no time. `key` is the public key of a proof that carries none (DBSC); another is refused.
    """
    try:
        head, body, signature = _parts(jws)
        header, claims = _object(decoded(head)), _object(decoded(body))
        if header["typ"] != kind or set(header) - _HEADER:
            raise ValueError
        jwk = _public(header["alg"], _key_of(header, key))
        _verifier(header["alg"], jwk)(decoded(signature), f"{head}.{body}".encode("ascii"))
        _request(claims, kind, method, url_ok)
        _token(claims, token)
        _answers(claims, kind, challenge)
        issued = _time(claims, now) if kind is Kind.DPOP else None
        return Proof(thumbprint(jwk), jwk, _short(claims["jti"]), issued)
    except _BROKEN:
        raise refusal() from None  # what a stranger's bytes make a library say is nobody's business


def challenge_in(jws: str) -> str:
    """The challenge that a browser's proof names as `jti`, not yet judged. Raises as `verify_proof`."""
    try:
        return _short(_object(decoded(_parts(jws)[1]))["jti"])
    except _BROKEN:
        raise refusal() from None


def thumbprint(jwk: Mapping[str, str]) -> str:
    """SHA-256 thumbprint of a public key (RFC 7638), base64url. `jwk` has the required members."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    return encoded(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def token_hash(token: str) -> str:
    """What a proof names as `ath` (RFC 9449 section 4.2)."""
    return encoded(hashlib.sha256(token.encode()).digest())


def refusal() -> Unauthenticated:
    """The one answer to everything that is wrong with a proof."""
    return Unauthenticated(
        "The proof of the device's key was not accepted; make a fresh one for this very request, by a clock that is"
        " right, with the key the session is bound to.",
        code="proof-invalid",
    )


def required() -> Unauthenticated:
    """The answer to a bound token without a proof."""
    return Unauthenticated(
        "This session is bound to a key; send 'Authorization: DPoP' with a fresh proof in the header DPoP (RFC 9449).",
        code="proof-required",
    )


def _parts(jws: str) -> tuple[str, str, str]:
    if len(jws) > MOST_PROOF:
        raise ValueError
    head, body, signature = jws.split(".")
    return head, body, signature


def _object(content: bytes) -> dict[str, Any]:
    members = json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_never)
    if not isinstance(members, dict):
        raise TypeError
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _never(_constant: str) -> None:
    raise ValueError


def _key_of(header: Mapping[str, Any], known: Mapping[str, str] | None) -> Any:
    if known is None:
        return header["jwk"]
    if "jwk" in header and _public(header["alg"], header["jwk"]) != dict(known):
        raise ValueError
    return known


def _public(algorithm: str, jwk: Any) -> dict[str, str]:
    """The required members of a public key that fits the algorithm; a private key, or any other, is refused."""
    members = _MEMBERS[algorithm]
    if not isinstance(jwk, Mapping) or set(jwk) - set(members) - _SPOKEN:
        raise ValueError
    public = {name: _text(jwk[name]) for name in members}
    if any(public[name] != value for name, value in _FIXED[algorithm].items()):
        raise ValueError
    if any(len(decoded(public[name])) != _BYTES for name in ("x", "y") if name in public):
        raise ValueError
    return public


def _verifier(algorithm: str, jwk: Mapping[str, str]) -> Callable[[bytes, bytes], None]:
    if algorithm == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify
    x, y = (int.from_bytes(decoded(jwk[name]), "big") for name in ("x", "y"))
    point = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()  # ValueError off the curve

    def verify(signature: bytes, content: bytes) -> None:
        if len(signature) != 2 * _BYTES:  # RFC 7518 section 3.4: both halves in full length
            raise ValueError
        r, s = (int.from_bytes(half, "big") for half in (signature[:_BYTES], signature[_BYTES:]))
        point.verify(encode_dss_signature(r, s), content, ec.ECDSA(hashes.SHA256()))

    return verify


def _request(claims: Mapping[str, Any], kind: Kind, method: str, url_ok: Callable[[str], bool]) -> None:
    """DBSC names no request: its challenge belongs to one session and is good once."""
    if kind is not Kind.DBSC and (claims["htm"] != method or not url_ok(_text(claims["htu"]))):
        raise ValueError


def _token(claims: Mapping[str, Any], token: str | None) -> None:
    if token is None:
        if "ath" in claims:
            raise ValueError
    elif not _same(claims["ath"], token_hash(token)):
        raise ValueError


def _answers(claims: Mapping[str, Any], kind: Kind, challenge: str | None) -> None:
    if challenge is None and kind is not Kind.DPOP:
        raise ValueError
    if challenge is not None and not _same(claims["nonce" if kind is Kind.DPOP else "jti"], challenge):
        raise ValueError


def _time(claims: Mapping[str, Any], now: int) -> int:
    seconds = claims["iat"]
    if type(seconds) is not int:  # neither a truth value nor a fraction
        raise TypeError
    issued = seconds * 1000
    if abs(now - issued) > WINDOW_MS:
        raise ValueError
    return issued


def _short(identifier: Any) -> str:
    if not 0 < len(_text(identifier)) <= MOST_ID:
        raise ValueError
    return _text(identifier)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _same(one: Any, other: str) -> bool:
    return hmac.compare_digest(_text(one).encode(), other.encode())
