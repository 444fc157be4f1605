"""What one process shares of a key tree: tables, copies, epoch, memory, and the lock under which it changes things."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from troth.kernel.clock import Clock
from troth.kernel.epoch_log import EpochLog, LoggedEpoch
from troth.kernel.errors import Conflict, Gone, IntegrityError, Unavailable
from troth.kernel.record import Recorder
from troth.kernel.watch import UNWATCHED, Watch
from troth.keys.btree import find
from troth.keys.cache import Cache
from troth.keys.domains import Copies, Domain
from troth.keys.epochs import Epochs
from troth.keys.lifecycle import Cryptoperiods
from troth.keys.pages import Ref
from troth.keys.reading import Change, PageReader
from troth.keys.scope_rows import ScopeRows
from troth.keys.store import KeyStore, PageWrite
from troth.keys.suspension_rows import SuspensionRows
from troth.keys.transitions import Transitions
from troth.keys.unit_rows import UnitRow, UnitRows
from troth.keys.units import UnitKey, address, derive
from troth.storage.database import Database

Result = TypeVar("Result")
CACHED_UNITS = 16_384
CACHED_PAGES = 512  # about 8 KiB each
LEASE_SECONDS = 0.25  # how long another process may go on using what was revoked here
_ATTEMPTS = 12
_UNREADABLE = 8  # looks at a page or root that stays missing, over some 70 ms, before it is called so


@dataclass(frozen=True, slots=True)
class Options:
    """How a tree is kept.

    Without `recorder` its transitions are in no log: for a tree in quarantine, and benches. `split`: every domain holds
    a share of the root page's key, so all must answer, and a key is gone when one of them destroyed its root. With
    `epoch_log` a tree that is older than its log is refused at the start.
    """

    recorder: Recorder | None = None
    epoch_log: EpochLog | None = None
    split: bool = False
    periods: Cryptoperiods = field(default_factory=Cryptoperiods)
    watch: Watch = UNWATCHED


class TreeState:
    """One jurisdiction's tree in this process. `lock` is held by whatever changes the tree."""

    def __init__(
        self, database: Database, domains: Sequence[Domain], clock: Clock, jurisdiction: str, options: Options
    ) -> None:
        self.watch = options.watch
        self.store = KeyStore(database, jurisdiction)
        self.rows = UnitRows(jurisdiction)
        self.scopes = ScopeRows(jurisdiction)
        self.suspensions = SuspensionRows(jurisdiction)
        self.transitions = Transitions(options.recorder, jurisdiction)
        self.periods = options.periods
        self._epoch_log = options.epoch_log
        self.copies = Copies(domains, jurisdiction)
        self.epochs = Epochs(self.store, domains, clock, self.transitions, split=options.split)
        self.reader = PageReader(self.store, CACHED_PAGES)
        self.by_id: Cache[bytes, UnitKey] = Cache(CACHED_UNITS)
        self.by_name: Cache[str, UnitKey] = Cache(CACHED_UNITS)
        self.lock = threading.RLock()
        self._change = -1
        self._checked = 0.0

    def logged(self) -> LoggedEpoch | None:
        """The newest epoch in the audit log. Raises `Unavailable`, `IntegrityError`."""
        return self._epoch_log.newest(self.store.jurisdiction) if self._epoch_log else None

    def forget(self) -> None:
        """Drop every cached key and page."""
        self.epochs.forget()
        self.reader.clear()
        self.by_id.clear()
        self.by_name.clear()

    @property
    def fresh(self) -> bool:
        """True while `refresh` has nothing to ask."""
        return time.monotonic() - self._checked < LEASE_SECONDS

    def refresh(self) -> None:
        """Drop the caches when another process revoked or re-keyed; asks at most once per lease."""
        now = time.monotonic()
        if self.fresh:
            return
        change = self.store.change()
        if change != self._change:
            self.forget()
        self._change, self._checked = change, now

    def stored(self, change: Change, epoch: int) -> dict[Ref, PageWrite]:
        """The pages of a change, sealed and in every domain; not yet in the database. Raises `Unavailable`."""
        writes = change.writes(epoch)
        return dict(zip(writes, self.copies.put(list(writes.values()), epoch), strict=True))

    def unit_key(self, row: UnitRow) -> UnitKey:
        """The key of a live unit. Raises `IntegrityError` when the tree does not hold what the row says."""
        place = address(row.tenant, row.subject, row.id)
        return derive(self.settled(lambda: self._secret(place)), row.id, row.generation, row.binding)

    def settled(self, attempt: Callable[[], Result]) -> Result:
        """The result of `attempt`, repeated with fresh eyes while other processes change the tree.

        Raises `Unavailable` when they never stop; `IntegrityError` when a page stays unreadable.
        """
        unreadable = 0
        for turn in range(_ATTEMPTS):
            try:
                return attempt()
            except Conflict as error:
                if error.code != "tree-changed":
                    raise
            except (IntegrityError, Gone) as error:
                unreadable += 1  # a page or root that another process just replaced looks missing, while it goes on too
                if error.code not in ("key-page", "root-gone") or unreadable > _UNREADABLE:
                    raise
            self.forget()
            time.sleep(0.002 * turn)
        raise Unavailable("The key tree is busy; try again.", code="tree-busy")

    def _secret(self, place: bytes) -> bytes:
        secret = find(self.reader.load, self.epochs.current().root, place)
        if secret is None:  # another process may have added it to a page that is cached here
            raise IntegrityError("The key tree does not hold a unit that its table lists.", code="key-page")
        return secret
