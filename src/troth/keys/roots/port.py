"""The port of a key domain: a place that makes, uses and destroys epoch roots and never gives one out."""

from __future__ import annotations

from typing import Protocol


class Root(Protocol):
    """One key domain. Root names are chosen by the caller and recorded before `create`, so a crash leaves no stranger.

    Names match `[a-z]+-[0-9]{8}-[0-9a-f]{16}`: jurisdiction, epoch, random token.
    """

    @property
    def domain(self) -> str:
        """The domain's name, as certificates show it."""
        ...

    @property
    def assurance(self) -> str:
        """A2: hardware that zeroises; A1: key service with a stated horizon; A0: files, no sanitisation claim."""
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
