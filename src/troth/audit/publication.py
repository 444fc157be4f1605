"""Makes grown logs public: mirror their tiles, prove growth, sign once, then show the checkpoints. In that order.

Many logs go together: their tiles, their remembered checkpoints and what the database shows become durable at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from sqlalchemy import Connection

from troth.audit import meta, store
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.guard import Remembered, Signed, SignOnceGuard, blob_name, newest, require_growth
from troth.audit.merkle import HASH_BYTES, TileNodes, leaf_hash, root
from troth.audit.origins import Origins
from troth.audit.store import StoredHead
from troth.audit.tiles import Tile, bundle, partials, tiles_of
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError
from troth.kernel.signer import Signer
from troth.storage.blobs import BulkStore
from troth.storage.database import Database

_TOGETHER = 256  # logs that become durable together
_FEW = 8  # tiles that are cheaper to sync one by one than with all that others wrote
_READ_TOGETHER = 16  # tiles in one transaction
_AT_ONCE = 512  # tiles in memory


@dataclass(frozen=True, slots=True)
class Ready:
    """A log that is mirrored, signed and guarded, and not shown yet; `last` is what was remembered before."""

    head: StoredHead
    now: Signed
    last: Sequence[Remembered]

    @property
    def log(self) -> str:
        """Its name."""
        return self.head.log


@dataclass(frozen=True, slots=True)
class Places:
    """Where logs are mirrored and remembered: beside the data, beside the keys, in a second region."""

    mirror: BulkStore
    guard: BulkStore | None = None
    far: BulkStore | None = None


class Publication:
    """Signs checkpoints. Raises `IntegrityError` rather than sign a fork, `Conflict` when another signer was faster.

    `Unavailable` when a place is away: nothing is signed then.
    """

    def __init__(self, database: Database, places: Places, signer: Signer, clock: Clock, origins: Origins) -> None:
        self._database = database
        self._places = places
        self._signer = signer
        self._clock = clock
        self._origins = origins
        self._guard = SignOnceGuard(places.mirror, origins, places.guard, places.far)

    def logs(self) -> set[str]:
        """The logs that were signed once, whether or not the database still knows them."""
        return self._guard.logs()

    def check(self, log: str) -> None:
        """Raise `IntegrityError` when the database does not contain what was signed last. Signs nothing.

        Asks what is near only, so that a server starts while the second region is away; `sign` asks all.
        """
        last = self._guard.last(log, far=False)
        with self._database.read() as connection:
            self._require(connection, log, store.find_head(connection, log), last)

    def sign(self, logs: Sequence[str]) -> Iterator[list[Ready]]:
        """Sign each log as it stands now, when it grew; gives them in groups, each durable."""
        for start in range(0, len(logs), _TOGETHER):
            grown = [self._looked_at(log) for log in logs[start : start + _TOGETHER]]
            unsigned = [(head, last) for head, now, last in grown if now is None or now.checkpoint.size < head.size]
            self._mirror(unsigned)
            ready = [
                Ready(head, now if now and now.checkpoint.size >= head.size else self._signed(head), last)
                for head, now, last in grown
            ]
            self._guard.move((one.log, one.now.note, one.last) for one in ready)
            yield ready

    def meta_leaves(self, ready: Sequence[Ready]) -> list[bytes]:
        """What the meta log gains by these."""
        return [meta.leaf_of(one.now.note, self._origins.key(one.log)) for one in ready if meta.covered(one.log)]

    def unvouched(self) -> list[bytes]:
        """Digests of shown checkpoints that the meta log lacks: those from before there was one."""
        with self._database.read() as connection:
            notes = store.checkpoints(connection)
            leaves = [meta.leaf_of(note, self._origins.key(log)) for log, note in notes if meta.covered(log)]
            known = store.requests_known(connection, meta.META, [leaf.hex() for leaf in leaves])
        return [leaf for leaf in leaves if leaf.hex() not in known]

    def show(self, ready: Sequence[Ready]) -> None:
        """Make the checkpoints what readers get, in one transaction; then drop what only older ones needed."""
        if not ready:
            return
        at = epoch_ms(self._clock.now())
        with self._database.write() as transaction:
            rows = [(one.head.number, one.now.note, one.now.checkpoint.size) for one in ready]
            store.set_checkpoints(transaction, rows, at)
        self._forget_partials(ready)

    def _looked_at(self, log: str) -> tuple[StoredHead, Signed | None, Sequence[Remembered]]:
        last = self._guard.last(log)
        with self._database.read() as connection:
            head = store.head(connection, log)
            self._require(connection, log, head, last)
            now = newest(last)
            if now is None and root(_nodes(connection, head), head.size) != head.root:
                raise IntegrityError(f"The tiles of {self._origins.origin(log)} do not lead to its root.", code="fork")
        return head, now, last

    def _require(self, connection: Connection, log: str, head: StoredHead | None, last: Sequence[Remembered]) -> None:
        """Every place that remembers a checkpoint must agree with the database."""
        size, digest = (head.size, head.root) if head else (0, b"")
        self._guard.require_known(log, last, head.signed_size if head else 0)
        for checkpoint in {one.signed.checkpoint for one in last if one.signed is not None}:
            require_growth(checkpoint, size, digest, _nodes(connection, head))

    def _signed(self, head: StoredHead) -> Signed:
        checkpoint = Checkpoint(self._origins.origin(head.log), head.size, head.root)
        signature = self._signer.sign(checkpoint.text().encode())
        return Signed(signed(checkpoint, self._origins.key(head.log), signature), checkpoint)

    def _mirror(self, unsigned: Sequence[tuple[StoredHead, Sequence[Remembered]]]) -> None:
        """Copy what the next checkpoints need: beside the data since the last one, far away since it was last there."""
        self._create(self._places.mirror, self._tiles((head, head.signed_size) for head, _ in unsigned))
        if self._places.far is not None:
            since = ((head, min(head.signed_size, last[-1].size)) for head, last in unsigned)
            self._create(self._places.far, self._tiles(since))

    def _tiles(self, heads: Iterator[tuple[StoredHead, int]]) -> Iterator[tuple[str, bytes]]:
        for head, since in heads:
            # What was pruned is left out: a mirror that is filled anew has its hashes.
            kept = (tile for tile in tiles_of(head.size, since) if tile.level is not None or tile.start >= head.first)
            while some := list(islice(kept, _READ_TOGETHER)):
                with self._database.read() as connection:
                    contents = [self._content(connection, head, tile) for tile in some]
                yield from zip((blob_name(head.log, tile.path) for tile in some), contents, strict=True)

    def _create(self, place: BulkStore, items: Iterator[tuple[str, bytes]]) -> None:
        """A tile is written once; one that exists, left by a crash between mirroring and signing, must be equal."""
        few = list(islice(items, _FEW + 1))
        if len(few) <= _FEW:
            for name, content in few:
                try:
                    place.create(name, content)
                except Conflict:
                    _require_equal(place, name, content)
            return
        items = chain(few, items)
        while some := list(islice(items, _AT_ONCE)):
            if place.create_all(some) != len(some):
                for name, content in some:
                    _require_equal(place, name, content)

    def _content(self, connection: Connection, head: StoredHead, tile: Tile) -> bytes:
        if tile.level is not None:
            return store.read_tile(connection, head.number, tile.level, tile.number)[: tile.width * HASH_BYTES]
        leaves = store.read_bundle(connection, head.number, tile.number, tile.width)
        row = store.read_tile(connection, head.number, 0, tile.number)
        if b"".join(map(leaf_hash, leaves)) != row[: tile.width * HASH_BYTES]:
            raise IntegrityError(
                f"An entry between {tile.start} and {tile.start + tile.width - 1} of {self._origins.origin(head.log)} "
                "changed in the database before it was signed.",
                code="log-broken",
            )
        return bundle(leaves)

    def _forget_partials(self, ready: Sequence[Ready]) -> None:
        """Drop partial tiles that no checkpoint in the mirrors needs; the database still serves them."""
        names: list[str] = []
        for one in ready:
            sizes = {one.head.signed_size, *(last.size for last in one.last)}
            old = set[Tile]().union(*map(partials, sizes)) - partials(one.now.checkpoint.size)
            names += [blob_name(one.log, tile.path) for tile in old]
        self._places.mirror.delete_all(names)
        if self._places.far is not None:
            try:
                self._places.far.delete_all(names)
            except Conflict:
                return  # under object lock: they stay until it ends


def _require_equal(place: BulkStore, name: str, content: bytes) -> None:
    if place.get(name) != content:
        raise IntegrityError(f"The mirrored {name} differs from the log.", code="fork")


def _nodes(connection: Connection, head: StoredHead | None) -> TileNodes:
    number = head.number if head else 0
    return TileNodes(lambda level, tile: store.read_tile(connection, number, level, tile))
