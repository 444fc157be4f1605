"""What every part of the vault stands on, and how it writes its audit events."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.kernel.uses import Meter, Unmetered
from troth.keys.tree import KeyTree, UnitKey
from troth.storage.blobs import BlobStore
from troth.storage.database import Database
from troth.vault import framing


@dataclass(frozen=True, slots=True)
class Ground:
    """Database, blobs, keys, record and clock; given to each part, owned by the wiring."""

    database: Database
    blobs: BlobStore
    tree: KeyTree
    recorder: Recorder
    clock: Clock
    meter: Meter = field(default_factory=Unmetered)

    def opened(self, sealed: bytes, facts: framing.Facts, unit: UnitKey, used: str) -> bytes:
        """The content of an object: the one way to it, so that each opening counts as what it is used for.

        `used` is `uses.READ` when somebody gets the content. Raises `IntegrityError` for bytes that are not as they
        were sealed, `Unavailable` when the use cannot be counted.
        """
        content = framing.open(sealed, facts, unit)
        self.meter.count(used)
        return content

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return epoch_ms(self.clock.now())

    def event(self, connection: Connection, entry: Entry) -> None:
        """Record `entry` in the open transaction: the change and its record happen together or not at all."""
        self.recorder.record_within(connection, entry)

    def entry(self, operation: str, tenant: str, request: str, actor: str, facts: dict[str, Fact]) -> Entry:
        """An event of the tenant's log."""
        return Entry(
            log=tenant,
            operation=operation,
            phase="event",
            outcome=Outcome.DONE,
            request=request,
            actor=actor,
            tenant=tenant,
            time=self.now(),
            facts=facts,
        )


def subject_digest(tenant: str, subject: str) -> str:
    """What stays of a forgotten person's id: SHA-256 in hex of 256 random bits, so nobody can guess it back."""
    return sha256(f"troth/subject\0{tenant}\0{subject}".encode()).hexdigest()


def tenant_digest(tenant: str) -> str:
    """What stands for a whole tenant where people stand as digests."""
    return sha256(f"troth/tenant\0{tenant}".encode()).hexdigest()
