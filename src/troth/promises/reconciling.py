"""Counters against the log: was content opened, or a vendor asked, without an entry that says so?

Compared at one moment of the database: what `storage.meters` counted where it happened, and what the closing entries of
all logs say together (`uses`), with those that still wait in the outbox. Both are written in one transaction, so any
difference is an opening that nobody's call asked for, or an entry that tells of none. After a replay the logs are newer
than the restored counters, so comparing begins anew; the entries `log.replayed` and `reconciliation.begun` say so.
docs/decisions/0076-completeness.md
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, tuple_

from troth.audit.store import entries, logs
from troth.backup.rows import snapshot
from troth.gateway.store import receipts
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.ids import new_id
from troth.kernel.record import REPLAYED, Entry, Outcome, Recorder
from troth.kernel.scope import SYSTEM, as_system
from troth.kernel.uses import READ, RECEIPT, VENDOR
from troth.promises.store import reconciled_place, reconciliation
from troth.storage.database import Database
from troth.storage.meters import totals
from troth.storage.outbox import outbox

COMPARED = (READ, VENDOR, RECEIPT)
UNRECEIPTED = "vendor-unreceipted"  # calls that asked a vendor without keeping a receipt first
LOST = "receipt-lost"  # receipts that an entry tells of and that are not on file
_MARK = b'"uses":{'
_REPLAYED = b'"op":"%s"' % REPLAYED.encode()  # quotes in a text are escaped: nothing else looks so
_OPERATOR = "operator"
_BATCH = 500
_KEPT_MS = 400 * 86_400_000


@dataclass(frozen=True, slots=True)
class Compared:
    """Uses since the last time: as counted, and how far off the entries are (empty: they agree)."""

    begun: bool
    counted: dict[str, int]
    differences: dict[str, int]


@dataclass(slots=True)
class _Read:
    """What the entries of one moment say; `sequenced` without what waits."""

    sequenced: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    places: dict[str, int] = field(default_factory=dict)
    replayed: bool = False


class Reconciliation:
    """Compares, and writes what came of it; once a day is enough. One at a time."""

    def __init__(self, database: Database, recorder: Recorder, clock: Clock) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock

    @as_system
    def run(self) -> Compared:
        """Compare what came since the last time. The first time, and after a replay, only notes where."""
        with snapshot(self._database) as connection:
            before = _standing(connection)
            read, counted = _read(connection, begun=before is not None), totals(connection)
        known = {name: counted.get(name, 0) for name in COMPARED}
        if before is None or read.replayed:
            settled = {name: before[name][2] if before else 0 for name in COMPARED}  # differences that were told
            recorded = {name: known[name] - read.waiting[name] - settled[name] for name in COMPARED}
            return self._written(Compared(True, {}, {}), known, recorded, read)
        recorded = {name: before[name][1] + read.sequenced[name] for name in COMPARED}
        differences = {
            name: known[name] - recorded[name] - read.waiting[name] - before[name][2] for name in COMPARED
        } | {name: read.sequenced[name] for name in (UNRECEIPTED, LOST)}
        new = {name: known[name] - before[name][0] for name in COMPARED}
        off = {name: count for name, count in differences.items() if count}
        return self._written(Compared(False, new, off), known, recorded, read)

    def _written(self, found: Compared, known: dict[str, int], recorded: dict[str, int], read: _Read) -> Compared:
        now = epoch_ms(self._clock.now())
        rows = [
            {"at": now, "name": name, "counted": known.get(name, 0), "recorded": recorded.get(name, 0)}
            | {"difference": found.differences.get(name, 0)}
            for name in (*COMPARED, UNRECEIPTED, LOST)
        ]
        with self._database.write(SYSTEM) as connection:
            connection.execute(delete(reconciled_place))
            places = [{"log": log, "position": size} for log, size in read.places.items()]
            if places:
                connection.execute(insert(reconciled_place), places)
            connection.execute(insert(reconciliation), rows)
            connection.execute(delete(reconciliation).where(reconciliation.c.at < now - _KEPT_MS))
            self._recorder.record_within(connection, _entry(found, now))
        return found


def unsettled(connection: Connection, since: int) -> int:
    """How many differences were found from `since` (epoch ms) on."""
    which = (reconciliation.c.at >= since) & (reconciliation.c.difference != 0)
    return int(connection.scalar(select(func.count()).select_from(reconciliation).where(which)) or 0)


def _entry(found: Compared, now: int) -> Entry:
    state = "begun" if found.begun else "mismatch" if found.differences else "done"
    outcome = Outcome.FAILED if found.differences else Outcome.DONE
    facts = {"counts": found.counted} | ({"differences": found.differences} if found.differences else {})
    name, who = f"reconciliation.{state}", "svc_reconciliation"
    return Entry(_OPERATOR, name, "event", outcome, new_id("rec"), who, None, now, facts=dict(facts))


def _standing(connection: Connection) -> dict[str, tuple[int, int, int]] | None:
    """Of each name: counted and recorded the last time, and all differences so far. None before the first time."""
    last = connection.scalar(select(func.max(reconciliation.c.at)))
    if last is None:
        return None
    rows = connection.execute(select(reconciliation).where(reconciliation.c.at == last))
    query = select(reconciliation.c.name, func.sum(reconciliation.c.difference)).group_by(reconciliation.c.name)
    known = {str(name): int(total) for name, total in connection.execute(query)}
    return {row.name: (int(row.counted), int(row.recorded), known[row.name]) for row in rows}


def _read(connection: Connection, *, begun: bool) -> _Read:
    found = _Read()
    rows = connection.execute(select(reconciled_place.c.log, reconciled_place.c.position))
    places = {str(log): int(position) for log, position in rows}
    for number, log, size in connection.execute(select(logs.c.number, logs.c.log, logs.c.size)).all():
        found.places[log] = int(size)
        if begun and size > (since := places.get(log, 0)):
            for group in _groups(connection, number, since):
                _add(connection, found.sequenced, group)
            found.replayed |= log == _OPERATOR and _tells_of_replay(connection, number, since)
    paged = select(outbox.c.log, outbox.c.leaf).execution_options(yield_per=_BATCH)  # an outbox may be long
    for log, leaf in connection.execute(paged):
        found.replayed |= log == _OPERATOR and _REPLAYED in bytes(leaf)
        if _MARK in bytes(leaf):
            found.waiting.update(_uses(json.loads(leaf)))
    return found


def _tells_of_replay(connection: Connection, number: int, since: int) -> bool:
    its = (entries.c.number == number) & (entries.c.position >= since) & (entries.c.operation == REPLAYED)
    return connection.scalar(select(entries.c.position).where(its).limit(1)) is not None


def _groups(connection: Connection, number: int, since: int) -> Iterator[list[dict[str, object]]]:
    """The entries of a log from `since` on that say what they used, some at a time."""
    query = select(entries.c.leaf).where(entries.c.number == number, entries.c.position >= since)
    found = connection.execution_options(yield_per=_BATCH).execute(query)
    group: list[dict[str, object]] = []
    for (leaf,) in found:
        if _MARK in bytes(leaf):
            group.append(json.loads(leaf))
        if len(group) == _BATCH:
            yield group
            group = []
    yield group


def _add(connection: Connection, sums: Counter[str], told: list[dict[str, object]]) -> None:
    wanted = set()
    for entry in told:
        uses = _uses(entry)
        sums.update(uses)
        sums[UNRECEIPTED] += uses.get(VENDOR, 0) > uses.get(RECEIPT, 0)
        if uses.get(RECEIPT) and entry.get("tenant"):
            wanted.add((str(entry["tenant"]), str(entry["request"])))
    if wanted:
        which = tuple_(receipts.c.tenant, receipts.c.request).in_(sorted(wanted))
        there = connection.scalar(select(func.count()).select_from(receipts).where(which))
        sums[LOST] += len(wanted) - int(there or 0)


def _uses(entry: dict[str, object]) -> dict[str, int]:
    facts = entry.get("facts")
    uses = facts.get("uses") if isinstance(facts, dict) else None
    return {str(name): int(count) for name, count in uses.items()} if isinstance(uses, dict) else {}
