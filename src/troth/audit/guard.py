"""The sign-once guard: the last signed checkpoint, kept outside the database and moved only by compare-and-swap.

It is kept in places that are restored apart: beside the keys, beside the data and, where there is a mirror, in the
second region. A database restored from an older backup, even with its whole folder, is behind another place or differs
from it, and is then never signed again: signing would fork the log (C2SP tlog-checkpoint: a log must not sign
inconsistent checkpoints).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from troth.audit import merkle
from troth.audit.checkpoint import Checkpoint, open_checkpoint
from troth.audit.origins import Origins
from troth.audit.verify import verify_consistency
from troth.kernel.errors import IntegrityError, NotFound
from troth.storage.blobs import BulkStore

_FOLDER = "tlog/"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed checkpoint as bytes and as values."""

    note: bytes
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Place:
    """Where what was signed is remembered; `name` in words, for refusals."""

    name: str
    store: BulkStore


@dataclass(frozen=True, slots=True)
class Remembered:
    """What one place remembers as signed last."""

    place: Place
    signed: Signed | None

    @property
    def size(self) -> int:
        """Entries under it."""
        return self.signed.checkpoint.size if self.signed else 0


class SignOnceGuard:
    """Reads and moves the newest checkpoint of each log, `tlog/<log>/checkpoint`, in every place.

    The place beside the keys moves first, then the mirror beside the data, then the one far away, then the database:
    after a crash an earlier one may be ahead, never a later one.
    """

    def __init__(
        self,
        mirror: BulkStore,
        origins: Origins,
        beside_keys: BulkStore | None = None,
        far: BulkStore | None = None,
    ) -> None:
        self._origins = origins
        self._near = [Place("object store", mirror)]
        if beside_keys is not None:
            self._near.insert(0, Place("log guard in the keys folder", beside_keys))
        self._far = [Place("mirror in the second region", far)] if far is not None else []
        self._opened: dict[tuple[str, str], Signed] = {}  # what was read last, so that it is verified once

    def logs(self) -> set[str]:
        """The logs that were ever signed, as the keys folder knows them."""
        return {name.split("/")[1] for one in self._near[:-1] for name in one.store.names(_FOLDER)}

    def last(self, log: str, *, far: bool = True) -> list[Remembered]:
        """What was signed last, in the order of moving; without `far`, only what this machine remembers.

        Raises `IntegrityError` when our signature is not on it, `Unavailable` when a place is away.
        """
        return [Remembered(place, self._read(place, log)) for place in [*self._near, *(self._far if far else [])]]

    def require_known(self, log: str, last: Sequence[Remembered], signed_size: int) -> None:
        """Raise `IntegrityError` when one place forgot what a later one, or the database, remembers.

        The place far away may be new and is filled then.
        """
        there = [one.signed is not None for one in last] + [signed_size > 0]
        for at, one in enumerate(last):
            if not there[at] and any(there[at + 1 :]) and one.place not in self._far:
                why = f"its last checkpoint is missing from the {one.place.name}; restore the {one.place.name}"
                raise _stop(self._origins.origin(log), why)

    def move(self, logs: Iterable[tuple[str, bytes, Sequence[Remembered]]]) -> None:
        """Bring every place to the note of each log (log, note, what was last).

        Raises `Conflict` when another signer was faster: then it must not be shown.
        """
        moves: dict[str, list[tuple[str, bytes, str | None]]] = {}
        for log, note, last in logs:
            for one in last:
                if one.signed is None or one.signed.note != note:
                    expected = None if one.signed is None else hashlib.sha256(one.signed.note).hexdigest()
                    moves.setdefault(one.place.name, []).append((blob_name(log, "checkpoint"), note, expected))
        for place in [*self._near, *self._far]:
            if place.name in moves:
                place.store.swap_all(moves[place.name])

    def _read(self, place: Place, log: str) -> Signed | None:
        try:
            note = place.store.get(blob_name(log, "checkpoint"))
        except NotFound:
            return None
        known = self._opened.get((place.name, log))
        if known is None or known.note != note:
            known = Signed(note, open_checkpoint(note, self._origins.key(log)))
            self._opened[place.name, log] = known
        return known


def newest(last: Sequence[Remembered]) -> Signed | None:
    """The one of the greatest size; None when nothing was signed yet."""
    return max((one.signed for one in last if one.signed), key=lambda one: one.checkpoint.size, default=None)


def blob_name(log: str, path: str) -> str:
    """Where a log's static resource is mirrored."""
    return f"{_FOLDER}{log}/{path}"


def require_growth(last: Checkpoint, size: int, root: bytes, node: merkle.NodeReader) -> None:
    """Raise `IntegrityError` unless the tree of `size` leaves in the database contains what was signed last."""
    now = Checkpoint(last.origin, size, root)
    if size < last.size:
        raise _stop(
            last.origin,
            f"it was signed at {last.size} entries and the database holds {size}; the database was restored from an "
            "older backup: restore a newer one, or stop the server and run 'troth audit replay'",
        )
    proof = merkle.consistency(node, last.size, size)
    try:
        verify_consistency(last, now, proof)
    except IntegrityError as error:
        raise _stop(last.origin, f"its first {last.size} entries are not those that were signed") from error


def _stop(origin: str, why: str) -> IntegrityError:
    return IntegrityError(f"The log {origin} is stopped and will not be signed: {why}.", code="fork")
