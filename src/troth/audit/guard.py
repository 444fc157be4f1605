"""The sign-once guard: the last signed checkpoint, kept outside the database and moved only by compare-and-swap.

A database restored from an older backup is behind it or differs from it, and is then never signed again: signing would
fork the log (C2SP tlog-checkpoint: a log must not sign inconsistent checkpoints).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from troth.audit import merkle
from troth.audit.checkpoint import Checkpoint, open_checkpoint
from troth.audit.origins import Origins
from troth.audit.verify import verify_consistency
from troth.kernel.errors import IntegrityError, NotFound
from troth.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed checkpoint as bytes and as values."""

    note: bytes
    checkpoint: Checkpoint


class SignOnceGuard:
    """Reads and moves the newest checkpoint of each log, `tlog/<log>/checkpoint` in the object store."""

    def __init__(self, blobs: BlobStore, origins: Origins) -> None:
        self._blobs = blobs
        self._origins = origins

    def last(self, log: str) -> Signed | None:
        """What was signed last. Raises `IntegrityError` when it does not carry our signature."""
        try:
            note = self._blobs.get(blob_name(log, "checkpoint"))
        except NotFound:
            return None
        return Signed(note, open_checkpoint(note, self._origins.key(log)))

    def move(self, log: str, note: bytes, previous: Signed | None) -> None:
        """Replace `previous`. Raises `Conflict` when another signer was faster: then `note` must not be shown."""
        expected = None if previous is None else hashlib.sha256(previous.note).hexdigest()
        self._blobs.swap(blob_name(log, "checkpoint"), note, expected)


def blob_name(log: str, path: str) -> str:
    """Where a log's static resource is mirrored."""
    return f"tlog/{log}/{path}"


def require_known(last: Signed | None, signed_size: int, origin: str) -> None:
    """Raise `IntegrityError` when the database remembers a checkpoint and the guard does not."""
    if last is None and signed_size:
        raise _stop(origin, "its last checkpoint is missing from the object store; restore the object store")


def require_growth(last: Checkpoint, size: int, root: bytes, node: merkle.NodeReader) -> None:
    """Raise `IntegrityError` unless the tree of `size` leaves in the database contains what was signed last."""
    now = Checkpoint(last.origin, size, root)
    if size < last.size:
        raise _stop(
            last.origin,
            f"it was signed at {last.size} entries and the database holds {size}; the database was restored from an "
            "older backup: restore a newer one, or replay the mirrored bundles",
        )
    proof = merkle.consistency(node, last.size, size)
    try:
        verify_consistency(last, now, proof)
    except IntegrityError as error:
        raise _stop(last.origin, f"its first {last.size} entries are not those that were signed") from error


def _stop(origin: str, why: str) -> IntegrityError:
    return IntegrityError(f"The log {origin} is stopped and will not be signed: {why}.", code="fork")
