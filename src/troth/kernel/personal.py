"""Personal data outside the vault's objects: how a capability seals its fields, and how it forgets a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

FORGOTTEN = "forgotten"
"""Stands in place of the id of somebody who was erased, where what they did stays without them."""


class PersonalFields(Protocol):
    """Seals small values under the key unit of one person (AES-256-GCM); when the unit is destroyed they are noise."""

    def seal(self, tenant: str, subject: str, label: str, plaintext: bytes) -> bytes:
        """Ciphertext bound to tenant, subject and label. Raises `Gone` for an erased subject."""
        ...

    def seal_all(self, tenant: str, label: str, several: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """`seal` for many (subject, plaintext) at once, in their order. Raises as `seal`."""
        ...

    def open(self, tenant: str, subject: str, label: str, sealed: bytes) -> bytes:
        """The plaintext. Raises `Gone` when the subject was erased, `IntegrityError` when the bytes do not fit."""
        ...

    def blind_index(self, label: str, value: str) -> bytes:
        """32 bytes of keyed hash (HMAC-SHA256) to find a row by its value without storing the value."""
        ...


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing kept about a person, as the access right shows it. `content` is plain JSON for the person's export."""

    holder: str
    kind: str
    identifier: str
    data_class: str
    content: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a holder dropped: ids by kind, no content."""

    holder: str
    identifiers: tuple[str, ...] = ()


class Holder(Protocol):
    """Anything that keeps personal data. Export and erasure ask the same holders: what one finds the other forgets."""

    @property
    def name(self) -> str:
        """The holder's name in certificates and exports."""
        ...

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """All that is kept of this person."""
        ...

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Drop all of it. Idempotent: a second call finds nothing and succeeds."""
        ...


@runtime_checkable
class TenantHolder(Protocol):
    """A holder that knows whom it knows, and that can close a whole tenant (off-boarding)."""

    def people(self, tenant: str) -> list[str]:
        """Ids of all people of this tenant of whom something is kept."""
        ...

    def close(self, tenant: str) -> Forgotten:
        """Drop what is kept of the tenant itself, once its people are forgotten. Idempotent."""
        ...


class TenantFence(Protocol):
    """Holds off the erasure of a tenant while something is kept of it."""

    def __call__(self, connection: Any, tenant: str) -> None:
        """Until the transaction of `connection` ends. Raises `Gone` when an erasure has begun, `Conflict` (closing)."""
        ...
