"""The port of a key domain: a place that makes, uses and destroys epoch roots and never gives one out."""

from __future__ import annotations

import re
from typing import Protocol

from troth.kernel.errors import Gone, IntegrityError, Invalid

ROOT_NAME = re.compile(r"[a-z]+-[0-9]{8}-[0-9a-f]{16}\Z")

# Assurance classes: what destroying a root is worth (docs/explanation/assurance.md). A class says where the key was,
# not through which interface it was used: a software token behind PKCS#11 is A0.
FILES, KEY_SERVICE, HARDWARE = "A0", "A1", "A2"


class Root(Protocol):
    """One key domain. Root names are chosen by the caller and recorded before `create`, so a crash leaves no stranger.

    Names match `[a-z]+-[0-9]{8}-[0-9a-f]{16}`: jurisdiction, epoch, random token; every method that takes one raises
    `Invalid` for another. Absence is only ever reported (`Gone`, `present`, `destroy`) when the provider showed that it
    is the one that was used before: a provider that is away, emptied or exchanged is `Unavailable`.
    """

    @property
    def domain(self) -> str:
        """The domain's name, as certificates show it."""
        ...

    @property
    def kind(self) -> str:
        """The interface: `local`, `pkcs11` or `openbao`."""
        ...

    @property
    def assurance(self) -> str:
        """A2: hardware that zeroises; A1: key service with a stated horizon; A0: files, no sanitisation claim.

        Raises `Unavailable` while the provider was never reached and only it can tell.
        """
        ...

    def create(self, root: str) -> None:
        """Make a fresh 256-bit root, durable on return. Raises `Conflict` when the name is taken, `Unavailable`."""
        ...

    def seal(self, root: str, plaintext: bytes, aad: bytes) -> bytes:
        """Authenticated encryption under the root. Raises `Gone` when there is no such root, `Unavailable`."""
        ...

    def open(self, root: str, sealed: bytes, aad: bytes) -> bytes:
        """The inverse. Raises `Gone` (no such root), `IntegrityError` (tag does not hold), `Unavailable`."""
        ...

    def destroy(self, root: str) -> str:
        """Destroy for good; returns what was done, as a token list. Idempotent. Raises `Unavailable`."""
        ...

    def present(self) -> list[str]:
        """Names of all roots that exist, sorted. Raises `Unavailable`."""
        ...

    def gives_out(self, root: str) -> bool:
        """True when the root's bytes can be had from the provider: tried, not assumed. Raises `Gone`, `Unavailable`."""
        ...


def require_name(root: str) -> str:
    """The name. Raises `Invalid` when it is not that of a root."""
    if not ROOT_NAME.match(root):
        raise Invalid("A root's name is jurisdiction-epoch-token.", code="root-name")
    return root


def gone() -> Gone:
    """The refusal for a root that is not there."""
    return Gone("That root was destroyed or never existed.", code="root-gone")


def broken_seal() -> IntegrityError:
    """The refusal for a sealed value whose tag does not hold."""
    return IntegrityError("A value sealed under a root does not open.", code="root-seal")
