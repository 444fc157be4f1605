"""Key files of `troth redact`: readable by their owner only, made when they are missing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any


def secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a key file that only its owner can read; made when it is missing."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(make())
    return path.read_bytes()


def root_key(path: Path | None) -> bytes:
    """32 secret bytes for pseudonyms and surrogates; without a file, fresh ones for this run."""

    def make() -> bytes:
        return secrets.token_bytes(32)

    return secret_file(path, make) if path else make()


def signing_key(path: Path) -> Any:
    """An Ed25519 private key in PEM, made when it is missing. Raises Invalid."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from troth.kernel.errors import Invalid

    def make() -> bytes:
        return Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    try:
        key = serialization.load_pem_private_key(secret_file(path, make), None)
    except (ValueError, TypeError):
        raise Invalid("The signing key is not an Ed25519 key in PEM.", field="signing_key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("The signing key is not an Ed25519 key in PEM.", field="signing_key")
    return key


def public_key(path: Path) -> bytes:
    """32 raw bytes from 64 hex digits in a file. Raises Invalid."""
    from troth.kernel.errors import Invalid

    try:
        return bytes.fromhex(path.read_text(encoding="utf-8"))
    except ValueError:
        raise Invalid("The public key is not 64 hex digits.", field="public_key") from None
