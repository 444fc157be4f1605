"""Gives every entry its place: drains the outbox in group commits, grows the trees, has them signed.

One transaction holds entries, tiles, heads and the emptied outbox, so a crash leaves an entry either waiting or in its
log, never both and never neither. Hashing happens before the transaction opens, mirroring and signing after it closed.
A round of signing ends with the meta log, which vouches for the tenants' checkpoints, and only then are they shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from troth.audit import store
from troth.audit.cosigned_notes import CosignedNote
from troth.audit.integration import BATCH, Integration
from troth.audit.lock import SequencerLock
from troth.audit.meta import META, OPERATOR, covered
from troth.audit.origins import Origins
from troth.audit.publication import Places, Publication, Ready
from troth.audit.witnessing import Witnessing, remaining, unwitnessed
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import IntegrityError, TrothError
from troth.kernel.scope import as_system
from troth.kernel.signer import Signer
from troth.storage.blobs import BulkStore
from troth.storage.database import Database
from troth.storage.outbox import outbox

DRAIN_SECONDS = 0.1  # a pause lets many small entries share one commit; half of it is the mean wait
CHECKPOINT_SECONDS = 1.0
T = TypeVar("T")
_RETRIED = (TrothError, SQLAlchemyError, OSError)  # but for an IntegrityError, which stops it for good


@dataclass(frozen=True, slots=True)
class SequencerState:
    """How the sequencer does. `waiting` counts entries in the outbox, `unsigned` logs that grew since they were signed.

    `fault` says why it stopped for good, if it did; `stalled` why nothing is signed just now, such as a mirror that is
    away: it goes on by itself.
    """

    running: bool
    waiting: int
    unsigned: int
    fault: str | None
    stalled: str | None = None


class Sequencer:
    """The only writer of the logs. A second one on the same database is refused (`Conflict`).

    `blobs` mirrors the logs beside the data; `guard` remembers what was signed where a restore of the data does not
    reach, such as beside the keys; `far` is a second mirror in another region, which must have everything before it is
    signed.

    When what stands in the database is not what was signed, it raises `IntegrityError`, and every later call raises the
    same: it stays stopped until a person has put the database right and starts it anew.
    """

    def __init__(
        self,
        database: Database,
        blobs: BulkStore,
        signer: Signer,
        clock: Clock,
        *,
        host: str | None = None,
        guard: BulkStore | None = None,
        far: BulkStore | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self._checkpoint_seconds = checkpoint_seconds
        self.witnessing: Witnessing | None = None
        """Has checkpoints cosigned before they are shown; set before `start`."""
        self.origins = Origins.of(signer, host)
        self._database = database
        self._clock = clock
        self._publication = Publication(database, Places(blobs, guard, far), signer, clock, self.origins)
        self._integration = Integration(database, self._publication.check, clock)
        self._lock = SequencerLock(database)
        self._integrating = threading.Lock()
        self._publishing = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._fault: IntegrityError | None = None
        self._stalled: str | None = None

    @as_system
    def start(self) -> None:
        """Check every log against what was signed, then work in the background. Raises `Conflict`, `IntegrityError`."""
        self._lead()
        if self._threads:
            return
        with self._database.read() as connection:
            known = set(store.names(connection))
        for log in sorted(known | self._publication.logs()):
            self._guarded(partial(self._publication.check, log))
        if self.witnessing is not None:
            self._guarded(self.witnessing.begin)
        self._vouch(self._publication.unvouched())
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._repeat, args=(self.integrate, DRAIN_SECONDS), name="audit-sequencer"),
            threading.Thread(
                target=self._repeat, args=(self._publish, self._checkpoint_seconds), name="audit-publisher"
            ),
        ]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def stop(self) -> None:
        """Finish what waits, sign it unless there is a fault, and give the lock back.

        What cannot be signed now, such as while a mirror is away, is signed after the next start.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        try:
            if self._threads and self._fault is None:
                with suppress(*_RETRIED):
                    self.flush()
        finally:
            self._threads = []
            self._lock.release()

    def flush(self, log: str | None = None, by: float | None = None) -> None:
        """Integrate all that waits, then sign every log that grew, or only `log`. Raises `IntegrityError`.

        `by` (monotonic seconds) is how long it waits for others that sign or ask witnesses; then it raises
        `Unavailable` (unwitnessed).
        """
        self.integrate()
        self._publish(log, by)

    @as_system
    def integrate(self) -> None:
        """Give everything that waits its place, without signing. Raises `IntegrityError`, `Unavailable`."""
        self._lead()
        with self._integrating:
            while self._guarded(self._integration.run) == BATCH:
                continue

    @as_system
    def state(self) -> SequencerState:
        """For readiness and metrics."""
        with self._database.read() as connection:
            waiting = connection.scalar(select(func.count()).select_from(outbox)) or 0
            grown = len(store.unsigned(connection))
        fault = None if self._fault is None else self._fault.advice
        return SequencerState(self._at_work() and fault is None, int(waiting), grown, fault, self._stalled)

    def _at_work(self) -> bool:
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _lead(self) -> None:
        if self._fault is not None:
            raise self._fault
        if not self._lock.held:
            self._lock.acquire()
            self._integration.forget()  # another process may have worked since

    def _repeat(self, work: Callable[[], None], seconds: float) -> None:
        while self._fault is None and not self._stopping.wait(seconds):
            try:
                work()
                stalled = None
            except IntegrityError:
                return  # kept as the fault: `state` and every later call tell of it
            except _RETRIED as error:  # nothing was half-written; the next round tries again
                stalled = error.advice if isinstance(error, TrothError) else "The disk or the database does not answer."
            if work == self._publish:
                self._stalled = stalled

    @as_system
    def _publish(self, log: str | None = None, by: float | None = None) -> None:
        """Sign `log`, or all that grew. Logs of tenants are shown once the signed meta log vouches for them."""
        if not self._publishing.acquire(timeout=remaining(by)):
            raise unwitnessed()
        try:
            with self._database.read() as connection:
                grown = [one for one in store.unsigned(connection) if log in (None, one)]
            vouched_for = [one for one in grown if covered(one)]
            self._show([one for one in grown if one == OPERATOR], by)
            ready = [one for group in self._signed(vouched_for) for one in group]
            self._vouch(self._publication.meta_leaves(ready))
            if ready or META in grown:
                meta = [one for group in self._signed([META]) for one in group]
                self._cosign(meta, by)
                self._guarded(partial(self._publication.show, [*ready, *meta]))
                self._keep_vouched(ready, meta)
        finally:
            self._publishing.release()
        if self.witnessing is not None:
            self._guarded(partial(self.witnessing.catch_up, by))

    def _show(self, logs: list[str], by: float | None) -> None:
        for group in self._signed(logs):
            self._cosign(group, by)
            self._guarded(partial(self._publication.show, group))

    def _keep_vouched(self, ready: Iterable[Ready], meta: Iterable[Ready]) -> None:
        if self.witnessing is not None:
            at = epoch_ms(self._clock.now())
            notes = [(one.log, CosignedNote(one.now.checkpoint.size, one.now.note, at)) for one in ready]
            for one in meta:
                self._guarded(partial(self.witnessing.vouched, one.now.checkpoint.size, notes))

    def _cosign(self, ready: Iterable[Ready], by: float | None) -> None:
        if self.witnessing is not None:
            for one in ready:
                self._guarded(partial(self.witnessing.cosign, one.log, one.now.note, by))

    def _signed(self, logs: list[str]) -> Iterator[list[Ready]]:
        groups = self._publication.sign(logs)
        while (group := self._guarded(lambda: next(groups, None))) is not None:
            yield group

    def _vouch(self, leaves: list[bytes]) -> None:
        """Digests of signed checkpoints become entries of the meta log."""
        if leaves:
            with self._integrating:
                self._guarded(partial(self._integration.place, META, leaves))

    def _guarded(self, work: Callable[[], T]) -> T:
        if self._fault is not None:
            raise self._fault
        try:
            return work()
        except IntegrityError as error:
            self._fault = error
            raise
