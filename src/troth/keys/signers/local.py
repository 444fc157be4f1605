"""Signing keys in files of a private folder (PKCS #8, PEM). Assurance A0."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from troth.kernel.errors import Unavailable
from troth.keys.roots.port import FILES
from troth.keys.signers.port import gone, require_name, taken
from troth.storage.durable import sync_folder

_HALF = 32  # bytes of r and of s


class LocalSigningKeys:
    """Implements `SigningKeys` in one folder, which exists; keys are `<name>.key`, mode 0600."""

    kind = "local"
    assurance = FILES

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, ec.EllipticCurvePrivateKey] = {}

    def create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        content = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            descriptor = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise taken() from error
        except OSError as error:
            raise _unreadable() from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._folder)

    def public_key(self, name: str) -> bytes:
        public = self._key(name).public_key()
        return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, name: str, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key(name).sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")

    def _path(self, name: str) -> Path:
        return self._folder / f"{require_name(name)}.key"

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey:
        if name not in self._known:
            try:
                found = serialization.load_pem_private_key(self._path(name).read_bytes(), password=None)
            except FileNotFoundError as error:
                raise gone() from error
            except (OSError, ValueError, TypeError) as error:
                raise _unreadable() from error
            if not isinstance(found, ec.EllipticCurvePrivateKey):
                raise _unreadable()
            self._known[name] = found
        return self._known[name]


def _unreadable() -> Unavailable:
    return Unavailable("A signing key's file cannot be used; check its folder's owner, or restore it.",
                       code="signer-unreadable")  # fmt: skip
