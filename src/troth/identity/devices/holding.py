"""The other side of a proof: the holder of a key signs. For programs of ours; browsers sign themselves."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from troth.identity.devices.proof import Kind, thumbprint, token_hash
from troth.identity.mfa.relying_party import encoded

_BYTES = 32


class DeviceKey:
    """A P-256 key that makes proofs (ES256)."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        x, y = (encoded(one.to_bytes(_BYTES, "big")) for one in (numbers.x, numbers.y))
        self.jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
        self.thumbprint = thumbprint(self.jwk)

    @classmethod
    def from_pem(cls, pem: bytes) -> DeviceKey:
        """The key in a PEM file (PKCS #8). Raises ValueError for any other."""
        private = serialization.load_pem_private_key(pem, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise ValueError
        return cls(private)

    def pem(self) -> bytes:
        """The private key, unencrypted, for a file that only its owner can read."""
        shape = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self._private.private_bytes(*shape)

    def proof(self, method: str, url: str, *, now: int, token: str | None = None, nonce: str | None = None) -> str:
        """A DPoP proof (RFC 9449) for one request. `url` without query and fragment; `now` in epoch milliseconds."""
        claims: dict[str, Any] = {"jti": secrets.token_urlsafe(16), "htm": method, "htu": url, "iat": now // 1000}
        claims |= {} if token is None else {"ath": token_hash(token)}
        claims |= {} if nonce is None else {"nonce": nonce}
        return self.sign({"alg": "ES256", "typ": Kind.DPOP.value, "jwk": self.jwk}, claims)

    def answer(self, challenge: str, method: str, url: str) -> str:
        """What the portal's script sends to bind a session or to confirm the device."""
        claims = {"jti": challenge, "htm": method, "htu": url}
        return self.sign({"alg": "ES256", "typ": Kind.PORTAL.value, "jwk": self.jwk}, claims)

    def native(self, challenge: str, *, carried: bool = True) -> str:
        """What a browser with DBSC sends; it carries the public key when it registers."""
        header = {"alg": "ES256", "typ": Kind.DBSC.value} | ({"jwk": self.jwk} if carried else {})
        return self.sign(header, {"jti": challenge})

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """A compact JWS with this header and these claims, whatever they are."""
        signed = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encoded(r.to_bytes(_BYTES, 'big') + s.to_bytes(_BYTES, 'big'))}"
