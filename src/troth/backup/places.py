"""Reading what places hold: manifests, parts, pieces. Everything read is checked against what was signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from troth.backup import logs
from troth.backup import manifest as manifests
from troth.backup.chunks import LARGEST_PIECE, Chunks
from troth.backup.locations import Location
from troth.backup.logs import LogCopy
from troth.backup.manifest import Manifest, Part
from troth.kernel.errors import IntegrityError, NotFound, TrothError

_AT_ONCE = 8  # parts that are read side by side
_LARGEST = 64 << 20  # bytes of a manifest: a hundred million objects name 20 MB of index pieces


@dataclass(frozen=True, slots=True)
class Held:
    """One backup as one place holds it."""

    location: Location
    manifest: Manifest
    digest: str
    envelope: bytes = field(repr=False)


def files(location: Location) -> list[str]:
    """Manifest files of a place, newest first."""
    return sorted(location.store.names(f"{manifests.FOLDER}/"), reverse=True)


def held(location: Location, file: str, keys: Mapping[str, bytes]) -> Held:
    """A backup by its manifest's file. Raises `NotFound`, `IntegrityError`."""
    envelope = location.store.get(file, _LARGEST)
    return Held(location, manifests.read(envelope, file, keys), manifests.digest_of(envelope), envelope)


def readable(location: Location, keys: Mapping[str, bytes]) -> Iterator[Held]:
    """Backups with a manifest that holds, newest first; others are left to `verify`, which tells of them."""
    for file in files(location):
        try:
            yield held(location, file, keys)
        except (IntegrityError, NotFound):
            continue


def chosen(location: Location, keys: Mapping[str, bytes], backup: str | None) -> Held:
    """The backup of that id, or the newest. Raises `NotFound`; `IntegrityError` when the newest manifest is broken."""
    found = [file for file in files(location) if backup is None or file.endswith(f"-{backup}")]
    if not found:
        raise NotFound("There is no such backup in this place; 'troth backup list' shows them.")
    return held(location, found[0], keys)


def content(location: Location, part: Part) -> bytes:
    """A part's bytes. Raises `IntegrityError` when they are missing or not those of the manifest."""
    try:
        found = location.store.get(part.name, part.size)
    except (NotFound, IntegrityError) as error:
        raise _broken() from error
    if len(found) != part.size or hashlib.sha256(found).hexdigest() != part.sha256:
        raise _broken()
    return found


def contents(location: Location, parts: Iterable[Part]) -> Iterator[tuple[Part, bytes | IntegrityError]]:
    """Every part with its bytes, or with why it does not hold, in order; several are read side by side."""

    def read(part: Part) -> tuple[Part, bytes | IntegrityError]:
        try:
            return part, content(location, part)
        except IntegrityError as error:
            return part, error

    waiting = iter(parts)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while some := list(islice(waiting, 4 * _AT_ONCE)):  # so that memory holds a few parts only
            yield from pool.map(read, some)


def piece(location: Location, part: Part, chunks: Chunks) -> bytes:
    """A sealed piece, opened. Raises as `content`."""
    return chunks.open(part.name, content(location, part))


def parts_of(one: Held, chunks: Chunks) -> dict[str, Part]:
    """Every part by name, as the manifest's index lists them. Raises `IntegrityError`."""
    index = one.manifest.index
    listed = manifests.read_index(index, (piece(one.location, part, chunks) for part in index.pieces))
    return {part.name: part for part in listed}


def logs_of(one: Held, chunks: Chunks) -> list[LogCopy]:
    """The logs of a backup, without their entries. Raises `IntegrityError`."""
    copies: list[LogCopy] = []
    for name in one.manifest.logs:
        copies += logs.read_index(chunks.open(name, one.location.store.get(name, LARGEST_PIECE)))
    return copies


def newest_index(held_: Held | None, chunks: Chunks) -> dict[str, Part]:
    """The parts of a backup to build on; nothing when it cannot be read, and then everything is read anew."""
    if held_ is None:
        return {}
    try:
        return parts_of(held_, chunks)
    except TrothError:
        return {}


def _broken() -> IntegrityError:
    return IntegrityError("A part of the backup is missing or changed; use another place.", code="backup-part")
