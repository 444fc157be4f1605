"""The sweep: what has passed its deadline goes by key, in batches; what a hold binds stays and is listed (DEL-01)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from troth.kernel.data_class import DataClass
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.vault import endings, store
from troth.vault.deadlines import ACCOUNT_AFTER_DAYS, DAY_MS, Deadlines
from troth.vault.disposal import Disposal
from troth.vault.ground import Ground, subject_digest
from troth.vault.holds import held_objects
from troth.vault.keeping import BLOBS
from troth.vault.store import Row

BATCH = 1000  # objects per destroyed root; a root costs the same for one or a thousand
ORPHAN_GRACE_MS = 3_600_000  # an upload writes its row within seconds of its bytes


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: objects ended, of those overdue but held, orphaned blobs deleted, left-over units destroyed."""

    ended: int
    held: tuple[str, ...]
    orphans: int
    units: int


class Retention:
    """Deadlines kept. Safe to run at any time and from several processes: each step is idempotent."""

    def __init__(self, ground: Ground, deadlines: Deadlines) -> None:
        self._ground = ground
        self._deadlines = deadlines
        self._disposal = Disposal(ground)

    def sweep(self) -> Swept:
        """End everything overdue, then tidy up after crashes. Raises `Unavailable` when keys or blobs are away."""
        ended = 0
        while batch := self._mark():
            ended += batch
            while self._disposal.resume(BATCH):
                pass
        while self._disposal.resume(BATCH):
            pass
        return Swept(ended, tuple(self.overdue()), self._orphans(), self._leftover_units())

    def overdue(self) -> list[str]:
        """Ids of live objects past their deadline; after a sweep only those that a hold binds."""
        with self._ground.database.read() as connection:
            return [row.id for page in self._late(connection) for row in page]

    def account_closed(self, tenant: str, subject: str) -> None:
        """Start the clock of a person's account-class data. Idempotent."""
        deadline = self._ground.now() + ACCOUNT_AFTER_DAYS * DAY_MS
        with self._ground.database.write() as connection:
            endings.end_by(connection, (tenant, subject), DataClass.ACCOUNT.value, deadline)

    def _mark(self) -> int:
        """Take one batch of overdue objects out of service; what a hold binds, and its sources, stay."""
        with self._ground.database.write() as connection:
            objects, people = held_objects(connection, self._ground.now())
            for page in self._late(connection):
                late = [row for row in page if subject_digest(row.tenant, row.subject) not in people]
                free = [row for row in late if not objects.intersection(store.closure(connection, [row.id]))]
                if free:
                    self._note(connection, free)
                    return len(endings.mark_closure(connection, [row.id for row in free], "expired", None))
        return 0

    def _late(self, connection: Connection) -> Iterator[list[Row]]:
        now = self._ground.now()
        rules = self._deadlines.all_rules()
        limits = [(rule, now - days * DAY_MS) for rule, days in rules.items()]
        after = 0
        while page := endings.late(connection, now, limits, after=after, limit=BATCH):
            yield page
            after = page[-1].seq

    def _note(self, connection: Connection, rows: list[Row]) -> None:
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in rows:
            counts[row.tenant][row.data_class] += 1
        request = new_id("swp")
        for tenant, kinds in sorted(counts.items()):
            facts: dict[str, Fact] = {"count": sum(kinds.values()), "kinds": dict(kinds), "reason": "expired"}
            self._ground.event(
                connection, self._ground.entry("retention.swept", tenant, request, "svc_retention", facts)
            )

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
        for name in doomed:
            count += self._ground.blobs.delete(name)
        return count

    def _leftover_units(self) -> int:
        """Destroy shared units whose date is over and whose last object is gone."""
        with self._ground.database.read() as connection:
            units = endings.leftover_units(connection, BATCH)
        destruction = self._disposal.destroy(set(units))
        return destruction.units if destruction else 0
