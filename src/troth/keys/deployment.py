"""Small secrets of the deployment (vendor credentials): sealed under a key of the key folder, not of a person."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.errors import IntegrityError

_NONCE = 12  # bytes, random: a deployment seals far fewer than 2^32 secrets (SP 800-38D)


class DeploymentSeal:
    """AES-256-GCM; `label` is bound as associated data."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, label: str, plaintext: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plaintext, label.encode())

    def open(self, label: str, sealed: bytes) -> bytes:
        """The plaintext. Raises `IntegrityError` when the bytes, the label or the key do not fit."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], label.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(
                "A sealed secret does not open; check that the key folder is the right one."
            ) from error
