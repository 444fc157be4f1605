"""The port of a place that makes and uses signing keys and never gives one out."""

from __future__ import annotations

import re
from typing import Final, Protocol

from troth.kernel.errors import Conflict, Gone, Invalid, Unavailable

_NAME: Final = re.compile(r"[a-z0-9-]{1,64}\Z")
SIGNATURE_BYTES: Final = 64


class SigningKeys(Protocol):
    """Named keys of one purpose (ECDSA on P-256, FIPS 186-5). Every method raises `Unavailable` while it is away."""

    @property
    def kind(self) -> str:
        """The interface: `local`, `pkcs11` or `openbao`."""
        ...

    @property
    def assurance(self) -> str:
        """A2: hardware; A1: key service; A0: files (`roots.port`)."""
        ...

    def create(self, name: str) -> None:
        """A fresh key. Raises `Conflict` when the name is taken, `Unavailable` (signer-unfit) if it could be had."""
        ...

    def public_key(self, name: str) -> bytes:
        """SubjectPublicKeyInfo (RFC 5280), DER. Raises `Gone` when there is no such key."""
        ...

    def sign(self, name: str, message: bytes) -> bytes:
        """ES256 over `message`: 64 bytes r || s (RFC 9053 section 2.1). Raises `Gone` when there is no such key."""
        ...


def require_name(name: str) -> str:
    """The name. Raises `Invalid` when it is not that of a key."""
    if not _NAME.match(name):
        raise Invalid("A signing key's name has small letters, digits and dashes.", code="signer-name")
    return name


def require_signature(found: bytes) -> bytes:
    """The signature. Raises `Unavailable` when it has another form."""
    if len(found) != SIGNATURE_BYTES:
        raise Unavailable("The signing key's holder gave no P-256 signature; check its version.", code="signer-unfit")
    return found


def taken() -> Conflict:
    """The refusal for a name that is taken."""
    return Conflict("A signing key of that name exists already.", code="signer-exists")


def gone() -> Gone:
    """The refusal for a key that is not there."""
    return Gone("That signing key is not there: its folder, token or service is not the one of before.",
                code="signer-gone")  # fmt: skip


def unfit() -> Unavailable:
    """The refusal for a holder that would give keys away."""
    return Unavailable("The holder of the signing key would give it out; use another.", code="signer-unfit")
