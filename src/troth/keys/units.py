"""What the key tree gives and takes: unit keys, scopes of destruction, proofs; and a unit's place. No I/O."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Invalid

UNIT_ID_BYTES = 16
ADDRESS_BYTES = 36  # tenant 16 | subject 16 | first 4 bytes of the unit id
_PLACE_BYTES = 16

ACCOUNT_PERIOD = "account"  # of the unit that seals what a person needs to sign in and exercise rights

Owner = tuple[str, str]  # tenant and subject


@dataclass(frozen=True, slots=True)
class UnitKey:
    """A unit's id (16 bytes, opaque), the generation of its key (from 1), and the key (32 bytes)."""

    id: bytes
    generation: int
    key: bytes

    def __repr__(self) -> str:  # a key never reaches a log or a traceback
        return f"UnitKey(id={self.id.hex()}, generation={self.generation})"


@dataclass(frozen=True, slots=True)
class UnitRequest:
    """Whose unit, of which class and period; `period` None asks for a fresh unit of its own.

    `succeeds`: it takes over from a compromised unit, so it is made even while its owner is suspended.
    """

    tenant: str
    subject: str
    data_class: DataClass
    period: str | None
    succeeds: bool = False

    @property
    def name(self) -> str | None:
        """A digest that finds the unit again; None for an own unit, which is found by its id only."""
        return None if self.period is None else named(self.tenant, self.subject, self.data_class, self.period)

    @property
    def is_account(self) -> bool:
        """True for the unit that stays usable while its owner is suspended, so that they can exercise their rights."""
        return (self.data_class, self.period) == (DataClass.ACCOUNT, ACCOUNT_PERIOD)


@dataclass(frozen=True, slots=True)
class Scope:
    """What to destroy: a tenant, a subject of a tenant, or units by id. Build it with one of the three functions."""

    tenant: str | None = None
    subject: str | None = None
    units: tuple[bytes, ...] = ()

    @classmethod
    def of_tenant(cls, tenant: str) -> Scope:
        """Everything of a tenant."""
        return cls(tenant=tenant)

    @classmethod
    def of_subject(cls, tenant: str, subject: str) -> Scope:
        """Everything of one person at one tenant."""
        return cls(tenant=tenant, subject=subject)

    @classmethod
    def of_units(cls, units: Sequence[bytes]) -> Scope:
        """Single units. Raises `Invalid` when an id is not 16 bytes."""
        if any(len(unit) != UNIT_ID_BYTES for unit in units):
            raise Invalid("A unit id has 16 bytes.", code="bad-unit-id")
        return cls(units=tuple(dict.fromkeys(units)))


@dataclass(frozen=True, slots=True)
class Revocation:
    """A scope that no longer opens here; sealing makes it so in every copy. `at` is in epoch milliseconds."""

    scope: Scope
    at: int


@dataclass(frozen=True, slots=True)
class RootDestroyed:
    """One epoch root that is no more: where, which, how sure, when (epoch ms) and what was observed."""

    domain: str
    root: str
    assurance: str
    destroyed_at: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Destruction:
    """The proof of a sealed destruction. Manifests are SHA-256 in hex; `units` counts unit keys that were live.

    `lost`: key domains that were given up without a confirmed destruction of their roots.
    """

    units: int
    epoch_before: int
    epoch_after: int
    manifest_before: str
    manifest_after: str
    roots: tuple[RootDestroyed, ...]
    lost: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def tenant_place(tenant: str) -> bytes:
    """The 16 bytes under which all of a tenant's units lie."""
    return _digest("tenant", tenant)


def subject_place(tenant: str, subject: str) -> bytes:
    """The 32 bytes under which all of a subject's units lie."""
    return tenant_place(tenant) + _digest("subject", tenant, subject)


def address(tenant: str, subject: str, unit: bytes) -> bytes:
    """Where a unit's secret lies in the tree: 36 bytes."""
    return subject_place(tenant, subject) + unit[:4]


def named(tenant: str, subject: str, data_class: DataClass, period: str) -> str:
    """The name of a shared unit, 32 hex digits."""
    return _digest("unit", tenant, subject, data_class.value, period).hex()


def derive(secret: bytes, unit: bytes, generation: int, binding: Sequence[str]) -> UnitKey:
    """A unit's key of one generation: HKDF-Expand with SHA-256 (RFC 5869) from the unit's random secret.

    Id, generation and `binding` (tenant, subject, class, period) are in the info, so a swapped or edited row yields a
    key that opens nothing.
    """
    info = b"troth unit key 1" + unit + generation.to_bytes(4, "big") + _digest("binding", *binding)
    return UnitKey(unit, generation, hmac.digest(secret, info + b"\x01", "sha256"))


def _digest(*parts: str) -> bytes:
    framed = b"".join(len(raw := part.encode()).to_bytes(4, "big") + raw for part in parts)
    return hashlib.sha256(framed).digest()[:_PLACE_BYTES]
