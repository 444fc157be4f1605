"""Brings the logs of a database that was restored from an older backup up to what was signed, from mirrored bundles.

Every entry is hashed and the whole must lead to the signed root before the first row is written; then each log is
written in one transaction, which checks the root again. Entries that the old database holds without a signature, and
that are not among the mirrored ones, go back into the outbox: they were recorded, and get another place.
Each log's transaction also holds an entry `log.replayed` for the operators' log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from troth.audit import store
from troth.audit.guard import Signed, SignOnceGuard, blob_name, newest, require_growth
from troth.audit.integration import growth, write
from troth.audit.lock import SequencerLock
from troth.audit.merkle import EMPTY_ROOT, HASH_BYTES, TILE_HEIGHT, TileNodes, leaf_hash
from troth.audit.meta import META, OPERATOR, covered
from troth.audit.origins import Origins
from troth.audit.publication import Places
from troth.audit.store import StoredHead
from troth.audit.tiles import MAX_ENTRY_BYTES, WIDTH, Tile, unbundle
from troth.audit.tree import TiledTree
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import REPLAYED, Entry, Fact, Outcome
from troth.kernel.scope import as_system
from troth.storage.blobs import BulkStore
from troth.storage.database import Database
from troth.storage.outbox import outbox, row

_MOST_BYTES = WIDTH * (MAX_ENTRY_BYTES + 2)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One log: entries before and after, and how many that no signature covered wait for a place again."""

    log: str
    before: int
    after: int
    waiting: int


class Replay:
    """Works on a database whose server is stopped."""

    def __init__(self, database: Database, places: Places, origins: Origins, clock: Clock) -> None:
        self._database = database
        self._mirrors = [one for one in (places.mirror, places.far) if one is not None]
        self._guard = SignOnceGuard(places.mirror, origins, places.guard, places.far)
        self._clock = clock

    @as_system
    def run(self) -> list[Replayed]:
        """Bring every log up to its last checkpoint; gives those that were behind.

        Raises `Conflict` while a server works on the database. `IntegrityError`: `fork` when the database holds another
        history than the signed one, `replay-incomplete` when no mirror holds the entries; that log is then unchanged,
        and so are those after it.
        """
        lock = SequencerLock(self._database)
        lock.acquire()
        try:
            with self._database.read() as connection:
                known = set(store.names(connection))
            done = [self._replayed(log) for log in sorted(known | self._guard.logs())]
        finally:
            lock.release()
        return [one for one in done if one is not None]

    def _replayed(self, log: str) -> Replayed | None:
        last = self._guard.last(log)
        with self._database.read() as connection:
            head = store.find_head(connection, log)
            self._guard.require_known(log, last, head.signed_size if head else 0)
            signed = newest(last)
            if signed is None or (head is not None and _contains(connection, head, signed)):
                return None
            base = head.signed_size if head else 0
            if base >= signed.checkpoint.size:  # another history, or a guard that forgot: nothing to replay
                require_growth(signed.checkpoint, base, head.root if head else EMPTY_ROOT, _nodes(connection, head))
        mirror = self._checked(log, head, base, signed)
        entries = _entries(mirror, log, base, signed.checkpoint.size)
        with self._database.write() as transaction:
            unplaced = _Unplaced(transaction, log, head, base)
            number = _written(transaction, log, head, base, map(unplaced.found, entries))
            now = store.head(transaction, log)
            if now.root != signed.checkpoint.root:  # the mirror changed since it was checked
                raise IntegrityError("The mirror of a log changed while it was replayed; try again.", code="fork")
            at = epoch_ms(self._clock.now())
            store.set_checkpoint(transaction, number, signed.note, signed.checkpoint.size, at)
            done = Replayed(log, head.size if head else 0, signed.checkpoint.size, unplaced.settle())
            transaction.execute(insert(outbox), row(_told(done, at)))
        return done

    def _checked(self, log: str, head: StoredHead | None, base: int, signed: Signed) -> BulkStore:
        """The first mirror whose entries lead from what the database has signed to the checkpoint."""
        broken = False
        for mirror in self._mirrors:
            with self._database.read() as connection:
                tree = _tree(connection, head, base)
            try:
                for leaves in _entries(mirror, log, base, signed.checkpoint.size):
                    tree.extend(map(leaf_hash, leaves))
            except (NotFound, IntegrityError, Unavailable):
                continue
            if tree.root() == signed.checkpoint.root:
                return mirror
            broken = True
        if broken:
            raise IntegrityError(
                f"The log {signed.checkpoint.origin} cannot be replayed: the entries in the database and in the "
                "mirrors do not lead to what was signed; restore with 'troth backup restore'.",
                code="fork",
            )
        raise IntegrityError(
            f"No mirror holds the entries {base} to {signed.checkpoint.size - 1} of {signed.checkpoint.origin}; "
            "restore with 'troth backup restore'.",
            code="replay-incomplete",
        )


def _told(done: Replayed, at: int) -> Entry:
    """What the operators' log says of one log; whoever runs the command holds the data, so no person is named."""
    counts = {"before": done.before, "after": done.after, "waiting": done.waiting}
    facts: dict[str, Fact] = {"counts": counts, "row": done.log, "table": store.logs.name}
    facts |= {"tenant": done.log} if covered(done.log) else {}
    return Entry(OPERATOR, REPLAYED, "event", Outcome.DONE, new_id("req"), "machine", None, at, facts=facts)


class _Unplaced:
    """Entries of the old database without a signed place: those that wait, and those that stand behind the last one."""

    def __init__(self, transaction: Connection, log: str, head: StoredHead | None, base: int) -> None:
        self._transaction = transaction
        self._log = log
        rows = transaction.execute(select(outbox.c.seq, outbox.c.leaf).where(outbox.c.log == log))
        self._waiting: dict[bytes, list[int]] = {}
        for seq, leaf in rows.all():
            self._waiting.setdefault(bytes(leaf), []).append(int(seq))
        behind = store.read_leaves(transaction, head.number, base, head.size) if head and head.size > base else []
        self._behind = Counter() if log == META else Counter(behind)  # the meta log is vouched anew at the start
        self._placed: list[int] = []

    def found(self, leaves: list[bytes]) -> list[bytes]:
        """The same leaves, which have their signed place: neither do they wait nor are they in want of one."""
        for leaf in leaves:
            if self._behind[leaf] > 0:
                self._behind[leaf] -= 1
            elif self._waiting.get(leaf):
                self._placed.append(self._waiting[leaf].pop(0))
        return leaves

    def settle(self) -> int:
        """Take the placed ones out of the outbox and put the others in; gives how many these are."""
        for seq in self._placed:
            self._transaction.execute(delete(outbox).where(outbox.c.seq == seq))
        rows = [{"log": self._log, "leaf": leaf} for leaf in self._behind.elements()]
        if rows:
            self._transaction.execute(insert(outbox), rows)
        return len(rows)


def _contains(connection: Connection, head: StoredHead, signed: Signed) -> bool:
    try:
        require_growth(signed.checkpoint, head.size, head.root, _nodes(connection, head))
    except IntegrityError:
        return False
    return True


def _tree(connection: Connection, head: StoredHead | None, size: int) -> TiledTree:
    """The right edge that a log had at `size`, from tiles that may be wider now."""
    if head is None:
        return TiledTree()

    def read(level: int, tile: int) -> bytes:
        width = (size >> (TILE_HEIGHT * level)) % WIDTH
        return store.read_tile(connection, head.number, level, tile)[: width * HASH_BYTES]

    return TiledTree(size, read)


def _written(
    transaction: Connection, log: str, head: StoredHead | None, base: int, entries: Iterable[list[bytes]]
) -> int:
    """Put entries behind the first `base` of a log; gives its number."""
    tree = _tree(transaction, head, base)
    number = None if head is None else head.number
    if head is not None:
        store.cut(transaction, head.number, base, tree.root())
    for leaves in entries:
        number = write(transaction, [growth(log, number, tree, leaves)])[0]
    assert number is not None  # what is signed has an entry
    return number


def _entries(mirror: BulkStore, log: str, start: int, end: int) -> Iterator[list[bytes]]:
    """The entries from `start` up to but without `end`, a bundle at a time. Raises `NotFound`, `IntegrityError`."""
    for number in range(start // WIDTH, -(-end // WIDTH)):
        first = number * WIDTH
        width = min(WIDTH, end - first)
        leaves = unbundle(_bundle(mirror, log, Tile(None, number, width)))[:width]
        if len(leaves) != width:
            raise IntegrityError("An entry bundle in the mirror is cut short.", code="bad-bundle")
        yield leaves[max(0, start - first) :]


def _bundle(mirror: BulkStore, log: str, tile: Tile) -> bytes:
    try:
        return mirror.get(blob_name(log, tile.path), _MOST_BYTES)
    except NotFound:
        if tile.width == WIDTH:
            raise
        return mirror.get(blob_name(log, Tile(None, tile.number).path), _MOST_BYTES)  # the log went on behind it


def _nodes(connection: Connection, head: StoredHead | None) -> TileNodes:
    number = head.number if head else 0
    return TileNodes(lambda level, tile: store.read_tile(connection, number, level, tile))
