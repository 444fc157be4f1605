"""Personal details beside the log: sealed for the person they are about, opened for who may, gone with their keys.

`pd` in an entry is HMAC-SHA256(salt, details) under 32 random bytes that lie sealed with the details. While they open,
the commitment binds them to the entry; without the salt it hides them, whatever somebody guesses.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from sqlalchemy import bindparam, delete, select

from troth.audit.believed_time import BelievedTime
from troth.audit.leaf import read_leaf
from troth.kernel.details import UNAVAILABLE, Owner, SealedDetails
from troth.kernel.errors import Gone, IntegrityError, TrothError
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.storage.detail_rows import audit_details

LABEL = "audit-details"
SALT_BYTES = 32
_CODEC = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_ROW = select(audit_details.c.tenant, audit_details.c.subject, audit_details.c.sealed).where(
    *(audit_details.c[name] == bindparam(f"of_{name}") for name in ("log", "request", "commitment"))
)


class State(StrEnum):
    """What became of an entry's details."""

    NONE = "none"  # the entry never had any
    OPEN = "open"
    ERASED = "erased"  # with the person, or when their time was over
    UNAVAILABLE = "unavailable"  # the keys could not be used when the entry was written, or cannot now
    NOT_YOURS = "not-yours"  # they are about somebody else


@dataclass(frozen=True, slots=True)
class Opened:
    """Details as a reader sees them; `members` are empty unless `state` is OPEN. `about` is the person, if known."""

    state: State
    members: Mapping[str, str] = field(default_factory=dict)
    about: str | None = None


class Row(NamedTuple):
    """What lies beside an entry."""

    tenant: str
    subject: str
    sealed: bytes


class Fields(PersonalFields, Protocol):
    """Seals under a person's keys, and knows whether it can without waiting."""

    def at_hand(self, tenant: str, subject: str) -> bool:
        """True when `seal` would answer from memory."""
        ...


class Details:
    """Implements `kernel.details.DetailSealer`, and opens what it sealed."""

    def __init__(self, database: Database, fields: Fields) -> None:
        self._database = database
        self._fields = fields

    def at_hand(self, owner: Owner) -> bool:
        """As the Protocol says."""
        return self._fields.at_hand(*owner)

    def seal(self, owner: Owner, details: Mapping[str, str]) -> SealedDetails | None:
        """As the Protocol says: keys that are away must not stop the operation that would bring them back."""
        plain, salt = canonical(details), os.urandom(SALT_BYTES)
        try:
            content = self._fields.seal(*owner, LABEL, salt + plain)
        except Gone:
            return None
        except TrothError:
            return SealedDetails(owner, UNAVAILABLE, b"")
        return SealedDetails(owner, commitment(salt, plain), content)

    def of(self, leaf: bytes, *, only: str | None = None) -> Opened:
        """The details of an entry; with `only`, those about that person.

        Raises `IntegrityError` (`details-differ`) when they are not what the entry commits to.
        """
        members = read_leaf(leaf)
        wanted = members.get("pd")
        if not isinstance(wanted, str):
            return Opened(State.NONE)
        if wanted == UNAVAILABLE:
            return Opened(State.UNAVAILABLE)
        place = {"of_log": members["log"], "of_request": members["request"], "of_commitment": bytes.fromhex(wanted)}
        with self._database.read() as connection:
            row = connection.execute(_ROW, place).one_or_none()
        if row is None:
            return Opened(State.ERASED)
        if only not in (None, row.subject):
            return Opened(State.NOT_YOURS)
        return self._opened(Row(*row), wanted)

    def _opened(self, row: Row, wanted: str) -> Opened:
        try:
            content = self._fields.open(row.tenant, row.subject, LABEL, bytes(row.sealed))
        except Gone:
            return Opened(State.ERASED)
        except IntegrityError:
            raise
        except TrothError:
            return Opened(State.UNAVAILABLE, about=row.subject)
        return Opened(State.OPEN, opened(wanted, content), row.subject)

    @as_system
    def expire(self, time: BelievedTime, days: int) -> int:
        """Drop details of entries older than `days`; how many.

        Raises `Unavailable` (clock-not-believed) when there are any by a clock that may have jumped.
        """
        cutoff = time.before(days)
        with self._database.read() as connection:
            old = connection.execute(select(audit_details.c.at).where(audit_details.c.at < cutoff).limit(1)).first()
        if old is None:
            return 0
        time.require()
        return self.sweep(cutoff)

    @as_system
    def sweep(self, before: int) -> int:
        """Drop details of entries older than `before` (epoch milliseconds); how many. Commitments then hide them."""
        with self._database.write() as connection:
            return connection.execute(delete(audit_details).where(audit_details.c.at < before)).rowcount


def canonical(details: Mapping[str, str]) -> bytes:
    """Sorted keys, no spaces, UTF-8: for texts the same as RFC 8785."""
    return _CODEC(dict(details)).encode()


def commitment(salt: bytes, plain: bytes) -> str:
    """The `pd` of an entry, 64 hex digits."""
    return hmac.digest(salt, plain, "sha256").hex()


def opened(wanted: str, content: bytes) -> dict[str, str]:
    """Details out of salt and text. Raises `IntegrityError` when `wanted` does not commit to them."""
    salt, plain = content[:SALT_BYTES], content[SALT_BYTES:]
    if not hmac.compare_digest(commitment(salt, plain), wanted):
        raise IntegrityError("These details are not those of the entry; check the log.", code="details-differ")
    members: dict[str, Any] = json.loads(plain)
    return {str(name): str(value) for name, value in members.items()}
