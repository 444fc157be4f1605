"""Signed words of a provider: ID tokens (OpenID Connect Core 1.0 section 3.1.3.7) and logout tokens (Back-Channel
Logout 1.0 section 2.6). Raises `Unauthenticated`; never returns a bool.

The algorithm is pinned by the connection and asymmetric; the key comes from the provider's own set and from nowhere
else: `jku`, `jwk`, `x5u` and `x5c` of a token are not even read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.discovery import Directory
from troth.identity.sso.fetching import object_of
from troth.kernel.errors import TrothError, Unauthenticated, Unavailable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
LEEWAY = 30  # seconds that clocks may differ
OLDEST = 10 * 60  # seconds since a token was issued
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
MOST_CHARACTERS = 32 << 10
_MOST_NAME = 255
_LEAST_RSA_BITS = 2048
_KINDS = {"RS": ("RSA", None), "PS": ("RSA", None), "Ed": ("OKP", "Ed25519")}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token must say. `now` and `since` (the person was seen after it) in seconds since the epoch; `others`:
    further audiences that are trusted."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: int
    code: str | None = field(repr=False, default=None)
    access_token: str | None = field(repr=False, default=None)
    max_age: int | None = None
    since: int | None = None
    acr_values: Collection[str] = ()
    others: Collection[str] = ()


async def signed_claims(
    token: object, connection: SsoConnection, directory: Directory, *, types: Collection[str | None]
) -> tuple[str, Claims]:
    """The algorithm and the claims of a token that the connection's provider signed. `types`: what `typ` may say.

    Raises `Unauthenticated` (`sso-token`), `VendorFailed` when the keys cannot be had.
    """
    pinned = connection.settings.get("algorithms", ())
    algorithm, kid = _read(token, pinned, types)
    keys = await directory.keys(connection)
    if _fitting(keys, algorithm, kid) is None:
        keys = await directory.keys(connection, missing=True)
    return verified_claims(token, keys, pinned, types)


def verified_claims(
    token: object, keys: Collection[Mapping[str, Any]], pinned: Collection[str], types: Collection[str | None]
) -> tuple[str, Claims]:
    """The same by keys that are there. Raises `Unauthenticated` (`sso-token`)."""
    algorithm, kid = _read(token, pinned, types)
    key = _fitting(keys, algorithm, kid)
    if key is None:
        raise _bad()
    return algorithm, _verified(str(token), key, algorithm)


def _read(token: object, pinned: Collection[str], types: Collection[str | None]) -> tuple[str, object]:
    """Algorithm and key's name of a token whose header says nothing that is not permitted."""
    if not isinstance(token, str) or len(token) > MOST_CHARACTERS or token.count(".") != 2:
        raise _bad()
    header = _header(token)
    algorithm, typ = str(header.get("alg")), header.get("typ")
    if algorithm not in pinned or algorithm not in ALGORITHMS or {"crit", "b64"} & header.keys():
        raise _bad()
    if not (typ is None or isinstance(typ, str)) or (typ.lower() if typ else None) not in types:
        raise _bad()
    return algorithm, header.get("kid")


def require_id_token(claims: Claims, algorithm: str, expected: Expected) -> str:
    """The subject of an ID token that says all that it must. Raises `Unauthenticated` (`sso-token`)."""
    _require_parties(claims, expected)
    _require_times(claims, expected.now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _bad()
    for name, of in (("at_hash", expected.access_token), ("c_hash", expected.code)):
        if name in claims and (of is None or claims[name] != half_hash(algorithm, of)):
            raise _bad()
    _require_seen(claims, expected)
    if expected.acr_values and claims.get("acr") not in expected.acr_values:
        raise _bad("sso-acr")
    return _subject(claims)


def require_logout(claims: Claims, issuer: str, client_id: str, now: int) -> tuple[str | None, str | None, str, int]:
    """Subject, session, id and expiry (seconds) of a logout token. Raises `Unauthenticated` (`sso-token`)."""
    _require_parties(claims, Expected(issuer=issuer, client_id=client_id, nonce="", now=now))
    _require_times(claims, now)
    events = claims.get("events")
    event = events.get(LOGOUT_EVENT) if isinstance(events, dict) else None
    if not isinstance(event, dict) or "nonce" in claims:  # with a nonce it is an ID token in disguise
        raise _bad()
    subject, session = claims.get("sub"), claims.get("sid")
    if subject is None and session is None:
        raise _bad()
    for one in (subject, session, claims.get("jti", 0)):
        if one is not None and not (isinstance(one, str) and 0 < len(one) <= _MOST_NAME):
            raise _bad()
    return subject, session, claims["jti"], int(_number(claims, "exp"))


def half_hash(algorithm: str, value: str) -> str:
    """`at_hash` and `c_hash`: the left half of the hash that the algorithm uses (Ed25519: SHA-512), base64url."""
    digest = _HASHES.get(algorithm[-3:], hashlib.sha512)(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


def _require_parties(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise _bad()
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or expected.client_id not in named:
        raise _bad()
    others = [one for one in named if one != expected.client_id]
    if not all(isinstance(one, str) and one in expected.others for one in others):
        raise _bad()
    party = claims.get("azp")
    if (party is not None or others) and party != expected.client_id:
        raise _bad()


def _require_seen(claims: Claims, expected: Expected) -> None:
    """`auth_time` where it was asked for, or is there."""
    asked = [expected.now - expected.max_age] if expected.max_age is not None else []
    asked += [expected.since] if expected.since is not None else []
    if not asked and "auth_time" not in claims:
        return
    if not max(asked, default=0) - LEEWAY <= _number(claims, "auth_time") <= expected.now + LEEWAY:
        raise _bad("sso-stale")


def _require_times(claims: Claims, now: int) -> None:
    if now >= _number(claims, "exp") + LEEWAY:
        raise _bad()
    if not now - OLDEST - LEEWAY <= _number(claims, "iat") <= now + LEEWAY:
        raise _bad()
    if "nbf" in claims and now < _number(claims, "nbf") - LEEWAY:
        raise _bad()


def _subject(claims: Claims) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_NAME or not subject.isascii():
        raise _bad()
    return subject


def _number(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 53:
        raise _bad()
    return value


def _header(token: str) -> Mapping[str, Any]:
    part = token.partition(".")[0]
    try:
        return object_of(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (ValueError, TrothError) as error:
        raise _bad() from error


def _fitting(keys: Collection[Mapping[str, Any]], algorithm: str, kid: object) -> Mapping[str, Any] | None:
    """The one key of the set for this algorithm and name; without a name the only one that fits."""
    kind, curve = _KINDS.get(algorithm[:2], ("EC", _CURVES.get(algorithm)))
    found = [
        key
        for key in keys
        if key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
        and (kind != "RSA" or len(str(key.get("n", ""))) * 6 >= _LEAST_RSA_BITS)
    ]
    return found[0] if len(found) == 1 else None


def _verified(token: str, key: Mapping[str, Any], algorithm: str) -> Claims:
    try:
        from joserfc import jws  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import import_key  # noqa: PLC0415
    except ImportError as error:
        advice = "Single sign-on needs the extra 'sso': pip install 'troth[sso]'."
        raise Unavailable(advice, code="extra-missing") from error
    allowed = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        public = import_key({name: value for name, value in key.items() if name != "key_ops"})
        content = jws.deserialize_compact(token, public, None, allowed).payload
        return object_of(bytes(content or b""))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _bad() from error
    except TrothError as error:
        raise _bad() from error


def _bad(code: str = "sso-token") -> Unauthenticated:
    return Unauthenticated("What the identity provider said does not hold; sign in again.", code=code)
