"""The sweep: what has passed its deadline goes by key, in certified batches; held or restricted data stays (DEL-01)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.keys.tree import Scope
from troth.vault import endings, framing, ledger, store
from troth.vault.deadlines import ACCOUNT_AFTER_DAYS, DAY_MS, Deadlines
from troth.vault.disposal import Disposal
from troth.vault.erasure import Erasures
from troth.vault.ground import Ground, tenant_digest
from troth.vault.holds import unheld
from troth.vault.keeping import BLOBS
from troth.vault.ledger import Erasure
from troth.vault.remainders import SERVICE, Remainders
from troth.vault.restriction import unrestricted
from troth.vault.tables import Row

BATCH = 1000  # objects per destroyed root; a root costs the same for one or a thousand
ORPHAN_GRACE_MS = 3_600_000  # an upload writes its row within seconds of its bytes


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: objects ended, of those overdue but held or restricted, orphaned blobs, left-over units."""

    ended: int
    held: tuple[str, ...]
    orphans: int
    units: int
    certificates: tuple[str, ...] = ()


class Retention:
    """Deadlines kept. Safe to run at any time and from several processes: each step is idempotent."""

    def __init__(self, ground: Ground, deadlines: Deadlines, erasures: Erasures) -> None:
        self._ground = ground
        self._deadlines = deadlines
        self._erasures = erasures
        self._disposal = Disposal(ground)
        self._remainders = Remainders(ground, erasures)

    def sweep(self) -> Swept:
        """End everything overdue, a certificate for each tenant of a batch, then tidy up after crashes.

        What cannot be certified now is out of service and follows. Raises `Unavailable` when keys or blobs are away.
        """
        ended, certificates = 0, []
        while batch := self._mark():
            ended += sum(batch.values())
            done = self._erasures.finish(batch)
            certificates += [one.certificate for one in done if one.certificate]
        while self._disposal.resume(BATCH):
            pass
        held = tuple(self.overdue())
        completed = self._remainders.complete()
        certificates += [one.certificate for one in completed if one.certificate]
        units = sum(map(self._remainders.units, completed))
        return Swept(ended, held, self._orphans(), units, tuple(certificates))

    def overdue(self) -> list[str]:
        """Ids of live objects past their deadline; after a sweep only those that are held or restricted."""
        with self._ground.database.read() as connection:
            return [row.id for page in self._late(connection) for row in page]

    def neglected(self) -> list[str]:
        """Of those overdue, the ids that neither a hold nor a restriction keeps; after a sweep none."""
        with self._ground.database.read() as connection:
            return [row.id for page in self._late(connection) for row in self._free(connection, page)]

    def account_closed(self, tenant: str, subject: str) -> None:
        """Start the clock of a person's account-class data. Idempotent."""
        deadline = self._ground.now() + ACCOUNT_AFTER_DAYS * DAY_MS
        with self._ground.database.write() as connection:
            endings.end_by(connection, (tenant, subject), DataClass.ACCOUNT.value, deadline)

    def _mark(self) -> dict[str, int]:
        """Take one batch of overdue objects out of service; what is held or restricted, and its sources, stay.

        How many objects, by the erasure that has them: one for each tenant.
        """
        with self._ground.database.write() as connection:
            for page in self._late(connection):
                if free := self._free(connection, page):
                    return self._taken(connection, free)
        return {}

    def _free(self, connection: Connection, late: list[Row]) -> list[Row]:
        return unrestricted(connection, unheld(connection, late, self._ground.now()))

    def _taken(self, connection: Connection, rows: list[Row]) -> dict[str, int]:
        by_tenant: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_tenant[row.tenant].append(row)
        taken, sweep = {}, new_id("swp")
        for tenant, late in sorted(by_tenant.items()):
            erasure = self._entered(connection, tenant, sweep)
            taken[erasure.id] = len(endings.mark_closure(connection, [row.id for row in late], "expired", erasure.id))
            self._note(connection, erasure, late)
        return taken

    def _entered(self, connection: Connection, tenant: str, sweep: str) -> Erasure:
        """The batch as an erasure that has begun: nobody asked, and its people need no salt."""
        now = self._ground.now()
        erasure = Erasure(
            id=new_id("ers"),
            target=f"{sweep}:{tenant}",
            tenant=tenant,
            scope=ledger.RETENTION,
            subject=None,
            subject_digest=tenant_digest(tenant),
            object=None,
            state=ledger.RUNNING,
            actor=SERVICE,
            request=sweep,
            requested_at=now,
        )
        ledger.add(connection, erasure)
        ledger.done(connection, erasure.id, "tombstone", now, {})
        return erasure

    def _late(self, connection: Connection) -> Iterator[list[Row]]:
        now = self._ground.now()
        limits = [(rule, now - days * DAY_MS) for rule, days in self._deadlines.all_rules().items()]
        after = 0
        while page := endings.late(connection, now, limits, after=after, limit=BATCH):
            yield page
            after = page[-1].seq

    def _note(self, connection: Connection, erasure: Erasure, rows: list[Row]) -> None:
        kinds: dict[str, int] = defaultdict(int)
        for row in rows:
            kinds[row.data_class] += 1
        facts: dict[str, Fact] = {"count": len(rows), "kinds": dict(kinds), "reason": "expired", "erasure": erasure.id}
        entry = self._ground.entry("retention.swept", erasure.tenant, erasure.request, SERVICE, facts)
        self._ground.event(connection, entry)

    def _orphans(self) -> int:
        """Delete ciphertext that has had no row for an hour: the upload died in between."""
        now, count = self._ground.now(), 0
        names = set(self._ground.blobs.names(BLOBS))
        with self._ground.database.write() as connection:
            rowless = names - store.blobs_with_rows(connection, names)
            connection.execute(delete(store.orphans).where(store.orphans.c.blob.not_in(sorted(rowless))))
            for name in sorted(rowless):
                store.insert_missing(connection, store.orphans, {"blob": name, "seen_at": now})
            old = select(store.orphans.c.blob).where(store.orphans.c.seen_at <= now - ORPHAN_GRACE_MS)
            doomed = sorted(connection.execute(old).scalars())
        self._destroy_rowless(doomed)
        for name in doomed:
            count += self._ground.blobs.delete(name)
        return count

    def _destroy_rowless(self, names: list[str]) -> None:
        """The keys that such ciphertext had alone: one beside all people would outlive the erasure of its person."""
        units = {unit for name in names if (unit := self._unit_of(name))}
        with self._ground.database.read() as connection:
            used = {unit for batch in store.batches(units) for unit in store.units_with_rows(connection, batch)}
        if alone := sorted(bytes.fromhex(unit) for unit in units - used):
            within = self._ground.tree.units_in(Scope.of_units(alone))
            if own := [row.id for row in within if not row.period]:
                self._ground.tree.destroy_units(own)

    def _unit_of(self, name: str) -> str | None:
        """The unit (hex) that ciphertext says it lies under; None for what is no ciphertext of ours, or gone."""
        try:
            unit = framing.read_header(self._ground.blobs.part(name, 0, framing.HEADER + framing.TAG)).unit
            self._ground.tree.units_in(Scope.of_units([unit]))
        except (IntegrityError, NotFound):
            return None
        return unit.hex()
