"""A client shows who it is by a JWT that it signs (RFC 7523 section 3, private_key_jwt), made for us, short, and once.

The key is the registered one and the algorithm is the key's: what the header says about keys is not even read.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troth.identity.devices.proof import thumbprint
from troth.identity.mfa.relying_party import decoded
from troth.identity.oauth.public_keys import algorithm_of, verify
from troth.identity.oauth.refusals import bad_client

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY = 30  # seconds that clocks may differ
LONGEST = 5 * 60  # seconds between issue and expiry
MOST_CHARACTERS = 4096
_TYPES = (None, "jwt", "client-authentication+jwt")  # RFC 7523bis names the last
_MOST_JTI = 128
_KEYS_OF_HEADERS = frozenset({"crit", "b64", "jku", "jwk", "x5u", "x5c"})


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a client signed. `expires_at` in seconds since the epoch."""

    client: str
    jti: str
    expires_at: int


def claimed_client(assertion: str) -> str:
    """Whose key is to be tried: the `sub` of an assertion that nobody verified yet. Raises `ClientRefused`."""
    return str(_parts(assertion)[1].get("sub"))


def require_assertion(assertion: str, keys: Sequence[Mapping[str, str]], audience: str, now: int) -> Assertion:
    """The assertion, verified by one of the client's keys; `now` in seconds. Whether its `jti` is new is not judged
    here. Raises `ClientRefused`."""
    header, claims, signature, message = _parts(assertion)
    fitting = [key for key in keys if header.get("alg") == algorithm_of(key)]
    if "kid" in header:
        fitting = [key for key in fitting if header["kid"] == thumbprint(key)]
    if not any(_signed(key, signature, message) for key in fitting):
        raise bad_client()
    return _judged(claims, audience, now)


def _judged(claims: Mapping[str, Any], audience: str, now: int) -> Assertion:
    client, jti = claims.get("sub"), claims.get("jti")
    if not isinstance(client, str) or claims.get("iss") != client:
        raise bad_client()
    named = claims.get("aud")
    if not isinstance(named, str) or not hmac.compare_digest(named.encode(), audience.encode()):
        raise bad_client()  # our issuer identifier alone: an audience of several is for several
    if not isinstance(jti, str) or not 0 < len(jti) <= _MOST_JTI:
        raise bad_client()
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    if not issued - LEEWAY <= now < expires + LEEWAY or not 0 < expires - issued <= LONGEST:
        raise bad_client()
    if "nbf" in claims and now < _seconds(claims, "nbf") - LEEWAY:
        raise bad_client()
    return Assertion(client, jti, expires)


def _signed(key: Mapping[str, str], signature: bytes, message: bytes) -> bool:
    try:
        verify(key, signature, message)
    except ValueError:
        return False
    return True


def _parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, signature, and what was signed. Raises `ClientRefused`."""
    pieces = assertion.split(".")
    if len(assertion) > MOST_CHARACTERS or len(pieces) != 3:
        raise bad_client()
    try:
        header, claims = (_object(decoded(piece)) for piece in pieces[:2])
        signature = decoded(pieces[2])
    except (ValueError, RecursionError):
        raise bad_client() from None
    typ = header.get("typ")
    if _KEYS_OF_HEADERS & header.keys() or (typ.lower() if isinstance(typ, str) else typ) not in _TYPES:
        raise bad_client()
    return header, claims, signature, assertion.rpartition(".")[0].encode()


def _object(content: bytes) -> dict[str, Any]:
    value = json.loads(content, object_pairs_hook=_once)
    if not isinstance(value, dict):
        raise ValueError
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 53:
        raise bad_client()
    return value
