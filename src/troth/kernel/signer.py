"""Signing, as the layers above the keys see it."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """An Ed25519 key (RFC 8032) that somebody else holds."""

    @property
    def name(self) -> str:
        """The key's name, as verifiers know it (C2SP signed-note key name syntax: no spaces, no plus)."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 raw public bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """A 64-byte signature. Raises `Unavailable` when the key cannot be used."""
        ...
