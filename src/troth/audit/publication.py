"""Makes a grown log public: mirror its tiles, prove growth, sign once, then show the checkpoint. In that order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from troth.audit import store
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.guard import Remembered, Signed, SignOnceGuard, blob_name, newest, require_growth
from troth.audit.merkle import HASH_BYTES, TileNodes, leaf_hash, root
from troth.audit.origins import Origins
from troth.audit.store import StoredHead
from troth.audit.tiles import Tile, bundle, partials, tiles_of
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError
from troth.kernel.signer import Signer
from troth.storage.blobs import BlobStore
from troth.storage.database import Database


class Publication:
    """Signs checkpoints. Raises `IntegrityError` rather than sign a fork, `Conflict` when another signer was faster."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        signer: Signer,
        clock: Clock,
        origins: Origins,
        *,
        guard: BlobStore | None = None,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._signer = signer
        self._clock = clock
        self._origins = origins
        self._guard = SignOnceGuard(blobs, origins, guard)

    def logs(self) -> set[str]:
        """The logs that were signed once, whether or not the database still knows them."""
        return self._guard.logs()

    def check(self, log: str) -> None:
        """Raise `IntegrityError` when the database does not contain what was signed last. Signs nothing."""
        last = self._guard.last(log)
        with self._database.read() as connection:
            head = store.find_head(connection, log)
            self._require(connection, log, head, last)

    def publish(self, log: str) -> None:
        """Sign the log as it stands now, when it grew."""
        last = self._guard.last(log)
        with self._database.read() as connection:
            head = store.head(connection, log)
            self._require(connection, log, head, last)
            now = newest(last)
            if now is None and root(_nodes(connection, head), head.size) != head.root:
                raise IntegrityError(f"The tiles of {self._origins.origin(log)} do not lead to its root.", code="fork")
        if now is None or now.checkpoint.size < head.size:
            self._mirror(head)
            now = Signed(*self._sign(log, head))
        self._guard.move(log, now.note, last)
        self._forget_partials(head, last, now.checkpoint.size)
        with self._database.write() as transaction:
            at = epoch_ms(self._clock.now())
            store.set_checkpoint(transaction, head.number, now.note, now.checkpoint.size, at)

    def _require(self, connection: Connection, log: str, head: StoredHead | None, last: Sequence[Remembered]) -> None:
        """Every place that remembers a checkpoint must agree with the database."""
        size, digest = (head.size, head.root) if head else (0, b"")
        self._guard.require_known(log, last, head.signed_size if head else 0)
        for one in last:
            if one.signed is not None:
                require_growth(one.signed.checkpoint, size, digest, _nodes(connection, head))

    def _sign(self, log: str, head: StoredHead) -> tuple[bytes, Checkpoint]:
        checkpoint = Checkpoint(self._origins.origin(log), head.size, head.root)
        signature = self._signer.sign(checkpoint.text().encode())
        return signed(checkpoint, self._origins.key(log), signature), checkpoint

    def _mirror(self, head: StoredHead) -> None:
        """Copy what the next checkpoint needs. A tile is written once; one that exists must be equal."""
        for tile in tiles_of(head.size, head.signed_size):
            name = blob_name(head.log, tile.path)
            content = self._content(head, tile)
            try:
                self._blobs.create(name, content)
            except Conflict as error:  # left by a crash between mirroring and signing
                if self._blobs.get(name) != content:
                    raise IntegrityError(f"The mirrored {tile.path} differs from the log.", code="fork") from error

    def _content(self, head: StoredHead, tile: Tile) -> bytes:
        with self._database.read() as connection:
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

    def _forget_partials(self, head: StoredHead, last: Sequence[Remembered], size: int) -> None:
        """Drop partial tiles that no checkpoint in the mirror needs; the database still serves them."""
        sizes = [head.signed_size, *(one.signed.checkpoint.size for one in last if one.signed)]
        for tile in set[Tile]().union(*map(partials, sizes)) - partials(size):
            self._blobs.delete(blob_name(head.log, tile.path))


def _nodes(connection: Connection, head: StoredHead | None) -> TileNodes:
    number = head.number if head else 0
    return TileNodes(lambda level, tile: store.read_tile(connection, number, level, tile))
