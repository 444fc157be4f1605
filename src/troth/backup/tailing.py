"""Sending the tail of the logs and the ledger to every place, between backups: soon, and at once after an erasure.

Without it, whoever loses the whole data folder loses the erasures since the newest backup with it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from troth.audit.store import logs as log_heads
from troth.backup import homes, logs, places, rows, tails
from troth.backup.chunks import Chunk
from troth.backup.copying import confirm
from troth.backup.locations import Location
from troth.backup.lock import TAIL, only_one
from troth.backup.logs import LogCopy
from troth.backup.manifest import named, part
from troth.backup.places import Held
from troth.backup.source import Source
from troth.backup.tails import LogTail, Tail
from troth.kernel.errors import Conflict, TrothError, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM
from troth.vault.ledger import certificates

_AGAIN_SECONDS = 15.0  # after a place failed


@dataclass(frozen=True, slots=True)
class _Seen:
    """What tells whether there is something new: entries that are signed, certificates that were given."""

    entries: int
    certificates: int


@dataclass(frozen=True, slots=True)
class _Base:
    """The backup that tails go on from now, with how far it has each log."""

    held: Held
    sizes: dict[str, int]


class Tailing:
    """Sends tails. `seconds` between two of them; `seconds_now` is a clock that never goes back."""

    def __init__(self, source: Source, seconds: float, seconds_now: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._seconds = seconds
        self._clock = seconds_now
        self._sent: _Seen | None = None
        self._next = float("-inf")
        self._refused = float("-inf")
        self._base: _Base | None = None
        self._there: dict[str, set[str]] = {}  # place -> pieces that it has

    def due(self) -> bool:
        """True when an erasure was certified since the last tail, or when its time has come and something is new."""
        now = self._clock()
        if now < self._refused:
            return False
        seen = self._look()
        if self._sent is None or seen.certificates != self._sent.certificates:
            return True
        return now >= self._next and seen != self._sent

    def ship(self, locations: Sequence[Location]) -> int:
        """Send the tail as it is now; how many places have it. None is sent before the first backup, nor beside
        another process that sends one.

        Raises `Unavailable` (tail-not-shipped) when a place does not take it; the others have it.
        """
        self._refused = self._clock() + _AGAIN_SECONDS
        try:
            with only_one(self._source.database, TAIL):
                count = self._ship(locations)
        except Conflict:
            return 0
        self._refused = float("-inf")
        return count

    def _ship(self, locations: Sequence[Location]) -> int:
        with contextlib.suppress(Unavailable):  # what is signed already goes in any case
            self._source.settle()
        seen = self._look()
        base = self._newest(locations)
        if base is None:
            self._sent = seen
            return 0
        tail, chunks = self._made(base, self._after(locations))
        envelope = tails.sign(tail, self._source.signer)
        failure: TrothError | None = None
        done = 0
        for location in locations:
            try:
                self._bring(location, chunks, (tail.file, envelope))
                done += 1
            except TrothError as error:
                failure = error
        if failure is not None:
            raise Unavailable(
                "A backup location does not take the tail of the log; it is tried again.", code="tail-not-shipped"
            ) from failure
        self._sent, self._next = seen, self._clock() + self._seconds
        return done

    def _look(self) -> _Seen:
        with self._source.database.read(SYSTEM) as connection:
            entries = connection.scalar(select(func.sum(log_heads.c.signed_size)))
            given = connection.scalar(select(func.count()).select_from(certificates))
        return _Seen(int(entries or 0), int(given or 0))

    def _newest(self, locations: Sequence[Location]) -> _Base | None:
        """The newest backup of any place, looked into once."""
        found: list[Held] = []
        for location in locations:
            with contextlib.suppress(TrothError):
                found += [one for one in [next(places.readable(location, self._source.keys()), None)] if one]
        newest = max(found, key=lambda one: one.manifest.file, default=None)
        if newest is None:
            return None
        if self._base is None or self._base.held.digest != newest.digest:
            self._there.clear()  # older pieces may be pruned by now
            copies = places.logs_of(newest, self._source.chunks)
            self._base = _Base(newest, {one.log: one.checkpoint.size for one in copies})
        return self._base

    def _after(self, locations: Sequence[Location]) -> int:
        """Now, in epoch ms, or just after the newest tail there is: the newest must have the latest name."""
        files: list[str] = []
        for location in locations:
            with contextlib.suppress(TrothError):
                files += tails.files(location)[:1]
        return max([self._source.now(), *(named(file)[0] + 1 for file in files)])

    def _made(self, base: _Base, at: int) -> tuple[Tail, list[Chunk]]:
        """Entries first, rows after: so the rows know at least the erasures that the entries tell of."""
        chunks: dict[str, Chunk] = {}

        def sealed(content: bytes) -> str:
            chunk = self._source.chunks.seal(content)
            chunks[chunk.name] = chunk
            return chunk.name

        ends = [self._end(copy, base.sizes, sealed) for copy in self._grown(base.sizes)]
        listed = sealed(tails.index(ends))
        since = tails.begun(base.held.manifest)
        with rows.snapshot(self._source.database) as connection:
            ledger = [sealed(piece.content) for piece in tails.copied(connection, since, at)]
        tail = Tail(
            id=new_id("bak"),
            made_at=at,
            installation=self._source.signer.name,
            jurisdiction=self._source.jurisdiction,  # type: ignore[arg-type]  # checked by the model
            base=base.held.manifest.id,
            since=since,
            logs=listed,
            rows=ledger,
            parts=[part(one.name, one.content) for one in chunks.values()],
        )
        return tail, list(chunks.values())

    def _grown(self, sizes: dict[str, int]) -> list[LogCopy]:
        signed = logs.signed_logs(self._source.database)
        return [one for one in signed if one.checkpoint.size > sizes.get(one.log, 0)]

    def _end(self, copy: LogCopy, sizes: dict[str, int], sealed: Callable[[bytes], str]) -> LogTail:
        first = logs.full_bundles(sizes.get(copy.log, 0))
        fresh = logs.bundles(self._source.database, copy, first)
        return LogTail(copy.log, copy.note, first, tuple(sealed(content) for content in fresh))

    def _bring(self, location: Location, chunks: Sequence[Chunk], document: tuple[str, bytes]) -> None:
        """Pieces, read back; then the signed list of them; then nothing older is needed."""
        homes.claim(location, self._source.keys())
        there = self._there.setdefault(location.name, set())
        missing = [(one.name, one.content) for one in chunks if one.name not in there]
        location.store.create_all(missing)
        confirm(location, missing)
        location.store.create(*document)
        confirm(location, [document])
        there.update(name for name, _ in missing)
        for file in tails.files(location):
            if file < document[0]:
                with contextlib.suppress(Conflict):  # locked: it stays until the lock ends
                    location.store.delete(file)
