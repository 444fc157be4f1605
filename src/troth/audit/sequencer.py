"""Gives every entry its place: drains the outbox in group commits, grows the trees, has them signed.

One transaction holds entries, tiles, heads and the emptied outbox, so a crash leaves an entry either waiting or in its
log, never both and never neither. Hashing happens before the transaction opens, mirroring and signing after it closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from troth.audit import store
from troth.audit.integration import BATCH, Integration
from troth.audit.lock import SequencerLock
from troth.audit.origins import Origins
from troth.audit.publication import Publication
from troth.kernel.clock import Clock
from troth.kernel.errors import Conflict, IntegrityError, Unavailable
from troth.kernel.scope import as_system
from troth.kernel.signer import Signer
from troth.storage.blobs import BlobStore
from troth.storage.database import Database
from troth.storage.outbox import outbox

DRAIN_SECONDS = 0.1  # a pause lets many small entries share one commit; half of it is the mean wait
CHECKPOINT_SECONDS = 1.0
T = TypeVar("T")
_RETRIED = (Unavailable, Conflict, SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True)
class SequencerState:
    """How the sequencer does. `waiting` counts entries in the outbox; `fault` says why it stopped, if it did."""

    running: bool
    waiting: int
    unsigned: int
    fault: str | None


class Sequencer:
    """The only writer of the logs. A second one on the same database is refused (`Conflict`).

    `blobs` mirrors the logs beside the data; `guard` remembers what was signed where a restore of the data does not
    reach, such as beside the keys.

    When what stands in the database is not what was signed, it raises `IntegrityError`, and every later call raises the
    same: it stays stopped until a person has put the database right and starts it anew.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        signer: Signer,
        clock: Clock,
        *,
        host: str | None = None,
        guard: BlobStore | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self._checkpoint_seconds = checkpoint_seconds
        self.origins = Origins.of(signer, host)
        self._database = database
        self._publication = Publication(database, blobs, signer, clock, self.origins, guard=guard)
        self._integration = Integration(database, self._publication.check)
        self._lock = SequencerLock(database)
        self._integrating = threading.Lock()
        self._publishing = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._fault: IntegrityError | None = None

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
        """Finish what waits, sign it unless there is a fault, and give the lock back."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        try:
            if self._threads and self._fault is None:
                self.flush()
        finally:
            self._threads = []
            self._lock.release()

    def flush(self, log: str | None = None) -> None:
        """Integrate all that waits, then sign every log that grew, or only `log`. Raises `IntegrityError`."""
        self.integrate()
        self._publish(log)

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
        return SequencerState(bool(self._threads) and fault is None, int(waiting), grown, fault)

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
            except IntegrityError:
                return  # kept as the fault: `state` and every later call tell of it
            except _RETRIED:
                continue  # nothing was half-written; the next round tries again

    @as_system
    def _publish(self, log: str | None = None) -> None:
        with self._publishing:
            with self._database.read() as connection:
                grown = store.unsigned(connection)
            for one in grown:
                if log in (None, one):
                    self._guarded(partial(self._publication.publish, one))

    def _guarded(self, work: Callable[[], T]) -> T:
        if self._fault is not None:
            raise self._fault
        try:
            return work()
        except IntegrityError as error:
            self._fault = error
            raise
