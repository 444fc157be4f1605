"""Keys that erasures had to leave because other objects shared them: destroyed, and certified, once nobody needs them.

An object may share its key with others of its person, class and expiry date. What is erased before that date loses its
bytes at once and its key when the date is over. That is an erasure of its own (scope `remainder`), whose certificate
names those that it completes.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection

from troth.kernel.ids import new_id
from troth.vault import endings, ledger
from troth.vault.disposal import today
from troth.vault.erasure import Erasures
from troth.vault.ground import Ground, tenant_digest
from troth.vault.ledger import Erasure

UNITS = 500  # of one round
SERVICE = "svc_retention"


class Remainders:
    """Completes earlier erasures. Safe to run at any time and from several processes."""

    def __init__(self, ground: Ground, erasures: Erasures) -> None:
        self._ground = ground
        self._erasures = erasures

    def complete(self) -> list[Erasure]:
        """Enter what is due and bring it as far as it goes now, a certificate for each tenant; what was entered."""
        with self._ground.database.read() as connection:  # nobody who writes waits for the search
            if not self._due(connection):
                return []
        with self._ground.database.write() as connection:
            entered = [self._entered(connection, *due) for due in sorted(self._due(connection).items())]
        return self._erasures.finish(entered)

    def units(self, erasure: Erasure) -> int:
        """How many keys it destroyed; 0 while it could not."""
        with self._ground.database.read() as connection:
            done = ledger.result(connection, erasure.id, ledger.DESTROY)
        return int(done["keys"]["units"]) if done and done["keys"] else 0

    def _due(self, connection: Connection) -> dict[str, list[str]]:
        """Idle units by tenant, without those that an unfinished erasure has in hand."""
        begun: set[str] = set()
        for one in ledger.unfinished(connection):
            if one.scope == ledger.REMAINDER:
                begun.update(ledger.result(connection, one.id, ledger.TOMBSTONE)["units"])
        found: dict[str, list[str]] = defaultdict(list)
        for tenant, unit in endings.leftover_units(connection, today(self._ground.now()), UNITS + len(begun)):
            if unit not in begun:
                found[tenant].append(unit)
        return {tenant: units[:UNITS] for tenant, units in found.items()}

    def _entered(self, connection: Connection, tenant: str, units: list[str]) -> str:
        now, identifier = self._ground.now(), new_id("ers")
        erasure = Erasure(
            id=identifier,
            target=f"remainder:{identifier}",
            tenant=tenant,
            scope=ledger.REMAINDER,
            subject=None,
            subject_digest=tenant_digest(tenant),
            object=None,
            state=ledger.RUNNING,
            actor=SERVICE,
            request=new_id("swp"),
            requested_at=now,
        )
        ledger.add(connection, erasure)
        ledger.done(connection, identifier, ledger.TOMBSTONE, now, {"units": sorted(units)})
        return identifier
