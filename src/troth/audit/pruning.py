"""Drops old entries of logs by the C2SP tlog-tiles rules: whole bundles below a minimum index; every hash stays.

The tree is what it was, so checkpoints, consistency and the proofs of kept entries go on as before. The meta log is
never pruned: a tenant at rest needs an entry of it however old it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, select

from troth.audit import store
from troth.audit.believed_time import BelievedTime
from troth.audit.guard import blob_name
from troth.audit.meta import META
from troth.audit.publication import Places
from troth.audit.store import StoredHead
from troth.audit.tiles import MINIMUM, WIDTH, Tile
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder, checked_facts
from troth.kernel.scope import as_system
from troth.storage.append_only import FLOOR_DAYS
from troth.storage.blobs import BulkStore
from troth.storage.database import Database
from troth.storage.detail_rows import audit_details

_AT_ONCE = 100 * WIDTH  # entries in one transaction
_BUNDLES = "tile/entries/"
_REQUEST = store.entries.c.request

Needed = Callable[[str, int], int]  # log, its size -> the first entry that something still reads


@dataclass(frozen=True, slots=True)
class Policy:
    """What is published: entries younger than `keep_days` are kept, all of them without it."""

    keep_days: int | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """One log: its minimum index now, and how many entries went."""

    log: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Pruning:
    """Prunes every log by the policy. `needed` says what may not go whatever its age."""

    database: Database
    places: Places
    recorder: Recorder
    clock: Clock
    time: BelievedTime
    policy: Policy
    needed: tuple[Needed, ...] = ()
    backups_days: int = 0
    """How long backups are kept: a restore of the oldest reads every entry after it."""

    @as_system
    def run(self, actor: str) -> list[Pruned]:
        """Drop what is older than the policy says; gives the logs that lost entries.

        Raises `Invalid` (keep-for-ever, keep-too-short) when the policy does not permit it, `Unavailable` when the
        clock is not believed (clock-not-believed), or a mirror is away: it is pruned by the next run.
        """
        cutoff = self.time.before(self._days())
        self.time.require()
        with self.database.read() as connection:
            logs = [log for log in store.names(connection) if log != META]
        return [one for log in logs if (one := self._prune(log, cutoff, actor)) is not None]

    def _days(self) -> int:
        days = self.policy.keep_days
        if days is None:
            raise Invalid("The log is kept for ever; set TROTH_AUDIT__KEEP_DAYS to prune it.", code="keep-for-ever")
        if days < FLOOR_DAYS or days <= self.backups_days:
            raise Invalid(
                f"Entries are kept for {FLOOR_DAYS} days at least, and longer than backups "
                f"({self.backups_days} days): raise TROTH_AUDIT__KEEP_DAYS.",
                code="keep-too-short",
            )
        return days

    def _prune(self, log: str, cutoff: int, actor: str) -> Pruned | None:
        with self.database.read() as connection:
            head = store.head(connection, log)
            first = store.first_since(connection, head, cutoff)
        first = min([first, head.signed_size, *(needs(log, head.size) for needs in self.needed)]) // WIDTH * WIDTH
        if first > head.first:
            event = _event(log, actor, epoch_ms(self.clock.now()), first, first - head.first)
            self.recorder.record(event, [lambda connection: store.set_first(connection, head.number, first)])
        kept = max(first, head.first)  # what an interrupted run left below it goes now
        count = self._drop_rows(head, kept)
        for place in (self.places.mirror, self.places.far):
            if place is not None and kept:
                _say(place, blob_name(log, MINIMUM), b"%d\n" % kept)
                _drop_bundles(place, log, kept)
        return Pruned(log, kept, count) if count else None

    def _drop_rows(self, head: StoredHead, first: int) -> int:
        count = 0
        with self.database.read() as connection:
            oldest = store.oldest(connection, head.number)
        for start in range(oldest, first, _AT_ONCE):
            end = min(first, start + _AT_ONCE)
            with self.database.write() as connection:
                _drop_details(connection, head, range(start, end), first)
                count += store.drop_entries(connection, head.number, start, end)
        return count


def _drop_details(connection: Connection, head: StoredHead, going: range, first: int) -> None:
    """Sealed details of entries that go, unless their request has kept entries too."""
    kept = select(_REQUEST).where(*_between(head, first, first + WIDTH))
    requests = select(_REQUEST).where(*_between(head, going.start, going.stop), _REQUEST.not_in(kept))
    gone = (audit_details.c.log == head.log, audit_details.c.request.in_(requests))
    connection.execute(delete(audit_details).where(*gone))


def _between(head: StoredHead, start: int, end: int) -> tuple[ColumnElement[bool], ...]:
    place = store.entries.c.position
    return (store.entries.c.number == head.number, place >= start, place < end, _REQUEST.is_not(None))


def _say(place: BulkStore, name: str, content: bytes) -> None:
    """A mirror says itself where its entries begin."""
    try:
        before = place.get(name)
    except NotFound:
        place.create(name, content)
        return
    if before != content:
        place.swap(name, content, hashlib.sha256(before).hexdigest())


def _drop_bundles(place: BulkStore, log: str, first: int) -> None:
    names = []
    for name in place.names(blob_name(log, _BUNDLES)):
        try:
            tile = Tile.parse(name.removeprefix(blob_name(log, "")))
        except NotFound:
            continue  # not ours
        if tile.start < first:
            names.append(name)
    try:
        place.delete_all(names)
    except Conflict as error:
        raise Unavailable(
            "A mirror keeps old entries under object lock; prune again when the lock has ended.", code="mirror-locked"
        ) from error


def _event(log: str, actor: str, now: int, first: int, count: int) -> Entry:
    tenant = None if log == "operator" else log
    facts = checked_facts({"first": first, "count": count})
    return Entry(log, "log.pruned", "event", Outcome.DONE, new_id("req"), actor, tenant, now, facts=facts)
