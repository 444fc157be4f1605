"""What travels: pieces sealed to the destination by HPKE (RFC 9180), and three signed documents (DSSE).

invitation (destination): its public key, made for one move. manifest (origin): what the bundle holds, as counts and
digests. arrival (destination): that all of it opened there under its own keys, with the same counts and digests.
The invitation's private key is destroyed when the tenant has arrived: copies of the bundle are noise from then on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from troth.kernel.errors import IntegrityError, NotFound
from troth.keys import keyfile

INVITATION = "application/vnd.troth.move-invitation+json"
MANIFEST = "application/vnd.troth.move-manifest+json"
ARRIVAL = "application/vnd.troth.move-arrival+json"
_LABEL = b"troth/tenant-move/1\0"
_KEY = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where to: `key` is a raw X25519 public key in hex."""

    jurisdiction: str
    key: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds. `rows` counts by table; digests are SHA-256 in hex over what `snapshot` defines."""

    tenant: str
    origin: str
    destination: str
    key: str
    objects: int
    bytes: int
    objects_digest: str
    rows: dict[str, int]
    rows_digest: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What opened at the destination. `manifest` is the SHA-256 of the manifest's envelope."""

    manifest: str
    tenant: str
    jurisdiction: str
    objects: int
    objects_digest: str
    rows: dict[str, int]
    rows_digest: str


class InvitationKeys:
    """The private keys of open invitations, each in a file of its own beside the other keys."""

    def __init__(self, folder: Path) -> None:
        self._folder = keyfile.private_folder(folder)

    def make(self) -> str:
        """A fresh key; its public half in hex."""
        private = os.urandom(keyfile.KEY_BYTES)
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
        keyfile.create(self._path(public), private)
        return public

    def get(self, public: str) -> X25519PrivateKey:
        """The private half. Raises `NotFound` when it was never made here, or is destroyed."""
        try:
            return X25519PrivateKey.from_private_bytes(keyfile.read(self._path(public)))
        except NotFound as error:
            raise NotFound("This bundle is for another invitation, or one that is used up; invite again.") from error

    def destroy(self, public: str) -> None:
        """Make every copy of the bundle unreadable. Idempotent."""
        keyfile.destroy(self._path(public))

    def _path(self, public: str) -> Path:
        if not _KEY.match(public):
            raise IntegrityError("The invitation's key is not an X25519 public key.", code="move-shape")
        return self._folder / f"{public}.key"


def seal(plaintext: bytes, public: str, tenant: str, name: str) -> bytes:
    """A piece for the holder of the invitation's key, bound to tenant and name."""
    if not _KEY.match(public):
        raise IntegrityError("The invitation's key is not an X25519 public key.", code="move-shape")
    key = X25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return _suite().encrypt(plaintext, key, _bound(tenant, name))


def unseal(sealed: bytes, private: X25519PrivateKey, tenant: str, name: str) -> bytes:
    """The piece. Raises `IntegrityError` unless every byte is what was sealed under this name."""
    try:
        return _suite().decrypt(sealed, private, _bound(tenant, name))
    except (InvalidTag, ValueError) as error:
        raise IntegrityError("A piece of the bundle was changed or swapped.", code="move-piece") from error


def document(payload: Invitation | Manifest | Arrival) -> dict[str, Any]:
    """The members to sign."""
    return asdict(payload)


def digest(value: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(value).hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785."""
    return rfc8785.dumps(value)


def framed(head: dict[str, Any], content: bytes) -> bytes:
    """A head of plain JSON before the content."""
    encoded = rfc8785.dumps(head)
    return len(encoded).to_bytes(4, "big") + encoded + content


def unframed(piece: bytes) -> tuple[dict[str, Any], bytes]:
    """The inverse. Raises `IntegrityError`."""
    size = int.from_bytes(piece[:4], "big")
    try:
        head = json.loads(piece[4 : 4 + size])
    except ValueError as error:
        raise IntegrityError("A piece of the bundle has no head.", code="move-shape") from error
    if not isinstance(head, dict):
        raise IntegrityError("A piece of the bundle has no head.", code="move-shape")
    return head, piece[4 + size :]


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _bound(tenant: str, name: str) -> bytes:
    return _LABEL + rfc8785.dumps([tenant, name])
