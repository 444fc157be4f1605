"""The sign-once guard: the last signed checkpoint, kept outside the database and moved only by compare-and-swap.

It is kept in two places that are restored apart, beside the keys and beside the data. A database restored from an older
backup, even with its whole folder, is behind the other place or differs from it, and is then never signed again:
signing would fork the log (C2SP tlog-checkpoint: a log must not sign inconsistent checkpoints).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Remembered:
    """What one place remembers as signed last; `place` in words, for refusals."""

    place: str
    store: BlobStore
    signed: Signed | None


class SignOnceGuard:
    """Reads and moves the newest checkpoint of each log, `tlog/<log>/checkpoint`, in the mirror and beside the keys.

    The place beside the keys moves first, then the mirror, then the database: after a crash an earlier one may be
    ahead, never a later one.
    """

    def __init__(self, mirror: BlobStore, origins: Origins, beside_keys: BlobStore | None = None) -> None:
        self._origins = origins
        self._beside_keys = beside_keys
        first = [("log guard in the keys folder", beside_keys)] if beside_keys else []
        self._places: list[tuple[str, BlobStore]] = [*first, ("object store", mirror)]

    def logs(self) -> set[str]:
        """The logs that were ever signed, as the keys folder knows them."""
        return {name.split("/")[1] for name in self._beside_keys.names("tlog/")} if self._beside_keys else set()

    def last(self, log: str) -> list[Remembered]:
        """What was signed last, in the order of moving. Raises `IntegrityError` when our signature is not on it."""
        return [Remembered(place, store, self._read(store, log)) for place, store in self._places]

    def require_known(self, log: str, last: Sequence[Remembered], signed_size: int) -> None:
        """Raise `IntegrityError` when one place forgot what a later one, or the database, remembers."""
        there = [one.signed is not None for one in last] + [signed_size > 0]
        for at, one in enumerate(last):
            if not there[at] and any(there[at + 1 :]):
                why = f"its last checkpoint is missing from the {one.place}; restore the {one.place}"
                raise _stop(self._origins.origin(log), why)

    def move(self, log: str, note: bytes, last: Sequence[Remembered]) -> None:
        """Bring every place to `note`. Raises `Conflict` when another signer was faster: then it must not be shown."""
        for one in last:
            if one.signed is None or one.signed.note != note:
                expected = None if one.signed is None else hashlib.sha256(one.signed.note).hexdigest()
                one.store.swap(blob_name(log, "checkpoint"), note, expected)

    def _read(self, store: BlobStore, log: str) -> Signed | None:
        try:
            note = store.get(blob_name(log, "checkpoint"))
        except NotFound:
            return None
        return Signed(note, open_checkpoint(note, self._origins.key(log)))


def newest(last: Sequence[Remembered]) -> Signed | None:
    """The one of the greatest size; None when nothing was signed yet."""
    return max((one.signed for one in last if one.signed), key=lambda one: one.checkpoint.size, default=None)


def blob_name(log: str, path: str) -> str:
    """Where a log's static resource is mirrored."""
    return f"tlog/{log}/{path}"


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
