"""Whose arrival counts: the destination's signing key, entered by one operator and compared by another one.

Without this whoever runs the commands would say whom to trust, and could make the arrival up. Both operators read the
key's fingerprint at the destination, each for themselves; the second one types it and is not shown the first one's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from hmac import compare_digest

from sqlalchemy import Column, Connection, String, Table, delete, insert, select, update

from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.storage.database import Big, metadata
from troth.vault.erasure_marks import Guard
from troth.vault.ground import Ground
from troth.vault.moving.transport import digest

FINGERPRINT = 32  # hex digits, 128 bits: a second preimage is out of reach
_KEY = re.compile(r"[0-9a-f]{64}\Z")

departures = Table(
    "tenant_departure",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("signer", String(128), nullable=False),
    Column("key", String(64), nullable=False),  # raw Ed25519 public key, hex
    Column("pinned_by", String(64), nullable=False),
    Column("pinned_at", Big, nullable=False),
    Column("agreed_by", String(64)),
    Column("agreed_at", Big),
)


@dataclass(frozen=True, slots=True)
class Trusted:
    """The other installation's signer: name and raw Ed25519 public key."""

    name: str
    key: bytes

    def keys(self) -> dict[str, bytes]:
        """For `verify_envelope`."""
        return {self.name: self.key}


@dataclass(frozen=True, slots=True)
class Pin:
    """The destination of one tenant; times in epoch ms."""

    tenant: str
    signer: str
    key: str
    pinned_by: str
    pinned_at: int
    agreed_by: str | None
    agreed_at: int | None


_COLUMNS = tuple(departures.c[one.name] for one in fields(Pin))


def fingerprint(key: bytes) -> str:
    """What two people compare of a public key."""
    return digest(key)[:FINGERPRINT]


class Pins:
    """The destinations that were entered and agreed to."""

    def __init__(self, ground: Ground, guard: Guard) -> None:
        self._ground = ground
        self._guard = guard

    def pin(self, tenant: str, signer: str, *, actor: str) -> Pin:
        """Enter where a tenant goes: `signer` is name=hex, as the destination publishes it.

        Raises `Invalid` (bad-signer), `Conflict` (move-pinned) for one that was entered: cancel that first.
        """
        name, _, key = signer.rpartition("=")
        if not name or not _KEY.match(key):
            raise Invalid("Give the signer as name=hex, as the destination publishes it.", code="bad-signer")
        fresh = Pin(tenant, name, key, actor, self._ground.now(), None, None)
        with self._ground.database.write() as connection:
            if self._found(connection, tenant):
                raise Conflict("A destination was entered for this tenant; cancel it first.", code="move-pinned")
            connection.execute(insert(departures), {column.name: getattr(fresh, column.name) for column in _COLUMNS})
            self._event(connection, "move.pinned", fresh, actor)
        return fresh

    def agree(self, tenant: str, given: str, *, actor: str) -> Pin:
        """Agree as the second operator, with the fingerprint that one read at the destination.

        Raises `NotFound`, `Denied` (own-wish, not-apart, other-key), `Conflict` (not-waiting).
        """
        with self._ground.database.write() as connection:
            pin = self._require(connection, tenant)
            if pin.agreed_at is not None:
                raise Conflict("This destination was agreed to already.", code="not-waiting")
            if actor == pin.pinned_by:
                raise Denied("Nobody approves what they entered; ask another operator.", code="own-wish")
            if not self._guard.stands_apart(connection, actor, pin.pinned_by, pin.pinned_at):
                raise Denied(
                    "Who agrees was an operator before it was entered, and not through who entered it; ask another.",
                    code="not-apart",
                )
            plain = re.sub(r"[\s:]", "", given).lower()
            if not compare_digest(plain.encode(), fingerprint(bytes.fromhex(pin.key)).encode()):
                raise Denied("That is not the fingerprint of the key that was entered.", code="other-key")
            values = {"agreed_by": actor, "agreed_at": self._ground.now()}
            connection.execute(update(departures).where(departures.c.tenant == tenant).values(values))
            self._event(connection, "move.agreed", pin, actor)
            return self._require(connection, tenant)

    def drop(self, tenant: str, *, actor: str) -> None:
        """Take a destination back. Raises `NotFound`."""
        with self._ground.database.write() as connection:
            pin = self._require(connection, tenant)
            connection.execute(delete(departures).where(departures.c.tenant == tenant))
            self._event(connection, "move.dropped", pin, actor)

    def list(self) -> list[Pin]:
        """All of them, newest first."""
        with self._ground.database.read() as connection:
            return [Pin(*row) for row in connection.execute(select(*_COLUMNS).order_by(departures.c.pinned_at.desc()))]

    def trusted(self, tenant: str) -> Trusted:
        """Whose word counts. Raises `Conflict`: move-not-pinned, move-not-agreed."""
        with self._ground.database.read() as connection:
            pin = self._found(connection, tenant)
        if pin is None:
            raise Conflict(
                "No destination was entered for this tenant. An operator does it with 'troth move pin'.",
                code="move-not-pinned",
            )
        if pin.agreed_at is None:
            raise Conflict(
                "A second operator has to compare the destination's key: 'troth move approve'.", code="move-not-agreed"
            )
        return Trusted(pin.signer, bytes.fromhex(pin.key))

    def _require(self, connection: Connection, tenant: str) -> Pin:
        pin = self._found(connection, tenant)
        if pin is None:
            raise NotFound("No destination was entered for this tenant.", code="move-not-pinned")
        return pin

    def _found(self, connection: Connection, tenant: str) -> Pin | None:
        query = select(*_COLUMNS).where(departures.c.tenant == tenant).with_for_update()
        row = connection.execute(query).first()
        return None if row is None else Pin(*row)

    def _event(self, connection: Connection, operation: str, pin: Pin, actor: str) -> None:
        facts: dict[str, Fact] = {"tenant": pin.tenant, "digest": digest(bytes.fromhex(pin.key))}
        self._ground.event(connection, self._ground.entry(operation, pin.tenant, new_id("mov"), actor, facts))
