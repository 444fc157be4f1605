"""Signing keys in the transit engine of OpenBao (or Vault): the service makes, keeps and uses them. Assurance A1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from troth.kernel.errors import Unavailable
from troth.keys.roots.port import KEY_SERVICE
from troth.keys.roots.transit import Rejected, ServicePlace, Transit
from troth.keys.signers.port import gone, require_name, require_signature, taken, unfit


class OpenBaoSigningKeys:
    """Implements `SigningKeys` on one mount; keys are named `<prefix>-<name>`."""

    kind = "openbao"
    assurance = KEY_SERVICE

    def __init__(self, place: ServicePlace, prefix: str) -> None:
        self._transit, self._prefix = Transit(place), prefix

    def create(self, name: str) -> None:
        full = self._full(name)
        if self._transit.read(full) is not None:  # the service answers a second creation like the first
            raise taken()
        try:
            self._transit.create_signer(full)
        except Rejected:
            raise _refused() from None
        if self._transit.exports(full, "signing-key"):
            raise unfit()

    def public_key(self, name: str) -> bytes:
        found = self._transit.read(self._full(name))
        if found is None:
            raise gone()
        try:
            key = load_pem_public_key(_newest(found).encode())
        except ValueError:
            raise _refused() from None
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, name: str, message: bytes) -> bytes:
        try:
            return require_signature(self._transit.sign(self._full(name), message))
        except Rejected:
            raise gone() from None

    def _full(self, name: str) -> str:
        return f"{self._prefix}-{require_name(name)}"


def _newest(found: Mapping[str, Any]) -> str:
    """The public key (PEM) of the only version. Raises `Unavailable` for a key that the service rotated by itself."""
    versions = found.get("keys")
    if not isinstance(versions, dict) or set(versions) != {"1"} or not isinstance(versions["1"], dict):
        raise _refused()
    return str(versions["1"].get("public_key"))


def _refused() -> Unavailable:
    return Unavailable(
        "The key service has no signing key as it was made; check its version, and that nobody rotates the key.",
        code="signer-unfit",
    )
