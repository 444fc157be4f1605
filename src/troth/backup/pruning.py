"""Forgetting backups whose time is over: manifests first, then what no manifest names any more.

Only files that are called as a backup calls its own are touched: a place may hold what is none of ours.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from troth.backup import chunks as pieces
from troth.backup import manifest as manifests
from troth.backup import places, tails
from troth.backup.chunks import Chunks
from troth.backup.locations import LEAST, Location
from troth.backup.verifying import proof_name
from troth.kernel.errors import Conflict, IntegrityError, NotFound, TrothError

DAY_MS = 24 * 3600 * 1000
_KEPT = LEAST  # backups that stay, however old
_OURS = re.compile(  # what a backup writes; anything else in a place is somebody else's (key pages are `shipping`'s)
    rf"{pieces.FOLDER}/[0-9a-f]{{2}}/[0-9a-f]+\Z|{manifests.OBJECTS}/objects/[0-9a-z]/obj_[A-Za-z0-9_.-]+\Z"
    rf"|(?:{manifests.FOLDER}|{manifests.PROOFS}|{tails.FOLDER})/[0-9]{{13}}-[A-Za-z0-9_]+\Z"
)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many backups and files went; `locked` files wait for the end of the bucket's object lock."""

    backups: int
    files: int
    locked: int


def prune(location: Location, chunks: Chunks, keys: dict[str, bytes], now: int, keep_days: int) -> Pruned:
    """Drop old backups from one place. Raises `IntegrityError` when a manifest that stays cannot be read: then nothing
    is deleted, for what it needs is not known."""
    files = places.files(location)
    held = [places.held(location, file, keys) for file in files]
    old = [one for one in held[_KEPT:] if one.manifest.made_at < now - keep_days * DAY_MS]
    stays = [one for one in held if one not in old]
    needed = _needed(stays, chunks) | _of_tails(location, keys, files)
    counts = [0, 0]
    for one in old:
        _delete(location, one.manifest.file, counts)
    if stays:  # an empty place is never taken for one in which nothing is needed
        for name in list(location.store.names()):
            if name not in needed and _OURS.match(name):
                _delete(location, name, counts)
    return Pruned(len(old), counts[0], counts[1])


def _needed(stays: Sequence[places.Held], chunks: Chunks) -> set[str]:
    names: set[str] = set()
    for one in stays:
        names |= {one.manifest.file, proof_name(one.manifest)}
        names |= {part.name for part in one.manifest.index.pieces}
        names |= set(places.parts_of(one, chunks))
    return names


def _of_tails(location: Location, keys: dict[str, bytes], backups: Sequence[str]) -> set[str]:
    """Tails that are newer than every backup, with their pieces; what cannot be read is of no use any more."""
    names: set[str] = set()
    for file in tails.files(location):
        if backups and manifests.named(file)[0] <= manifests.named(backups[0])[0]:
            break
        with contextlib.suppress(IntegrityError, NotFound):
            names |= {file, *tails.held(location, file, keys).parts}
    return names


def _delete(location: Location, name: str, counts: list[int]) -> None:
    try:
        counts[0] += location.store.delete(name)
    except Conflict:
        counts[1] += 1


def prune_all(
    locations: Sequence[Location], chunks: Chunks, keys: dict[str, bytes], now: int, keep_days: int
) -> dict[str, Pruned]:
    """Every place that can be pruned now; the others wait for the next backup."""
    done: dict[str, Pruned] = {}
    for location in locations:
        with contextlib.suppress(TrothError):
            done[location.name] = prune(location, chunks, keys, now, keep_days)
    return done
