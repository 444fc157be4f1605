"""Recording, placing, signing, deaths and restarts in any order, chosen and shrunk by hypothesis.

A death is an exception out of one durable step (a commit, a write to the mirror or the guard, a signature), before or
after it took effect; what the process held in memory is thrown away, as a killed process loses it.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from audit_ledger import Ledger
from database_world import RoomDatabase
from log_world import TestKey, entry
from troth.audit.sequencer import Sequencer
from troth.kernel.errors import TrothError
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata
from troth.storage.outbox import Outbox
from worlds import MovableClock

LOGS = ("operator", "ten_a")


class Died(Exception):
    """The process is gone."""


class Fate:
    """Counts durable steps; at the chosen one the process dies, before or after it took effect."""

    def __init__(self) -> None:
        self.left, self.after = 0, False

    def step(self, work, *values, **named):  # type: ignore[no-untyped-def]
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Died
        result = work(*values, **named)
        if self.left == 0:
            raise Died
        return result


class Store(LocalBlobs):
    """A folder whose writes are durable steps."""

    def __init__(self, root: Path, fate: Fate) -> None:
        super().__init__(root)
        for name in ("create", "create_all", "swap", "swap_all", "delete_all"):
            setattr(self, name, self._stepping(fate, getattr(self, name)))

    @staticmethod
    def _stepping(fate: Fate, work):  # type: ignore[no-untyped-def]
        return lambda *values: fate.step(work, *values)


class Machine(RuleBasedStateMachine):
    """One installation through its deaths."""

    @initialize()
    def begin(self) -> None:
        self.holder = tempfile.TemporaryDirectory(
            prefix="troth-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
        )
        self.folder = Path(self.holder.name)
        self.fate, self.clock, self.number = Fate(), MovableClock(), 0
        self.database = RoomDatabase(f"sqlite:///{self.folder / 'log.db'}")
        metadata.create_all(self.database.engine)
        self.ledger = Ledger(self.folder)
        self.restart()

    def restart(self) -> None:
        """A new process: only files are left of the old one."""
        self.fate.left = 0
        self.database.close()
        self.database = RoomDatabase(self.database.engine.url.render_as_string())
        key, fate = TestKey(), self.fate
        sign = key.sign
        key.sign = lambda message: fate.step(sign, message)  # type: ignore[method-assign]
        blobs, guard = Store(self.folder / "blobs", fate), Store(self.folder / "guard", fate)
        self.sequencer = Sequencer(self.database, blobs, key, self.clock, guard=guard)
        self.outbox = Outbox(self.database)
        begun = Database._begun
        self.database._line._begun = self.database._begun = lambda: _Transaction(begun(self.database), fate)  # type: ignore

    @rule(log=st.sampled_from(LOGS), count=st.integers(1, 3))
    def record(self, log: str, count: int) -> None:
        for _ in range(count):
            self.number += 1
            self.outbox.record(entry(log, self.number, request=f"req_{self.number}"))
            self.ledger.acknowledged[f"req_{self.number}"] = log

    @rule(log=st.sampled_from(LOGS), count=st.integers(200, 300))
    def many(self, log: str, count: int) -> None:
        requests = [f"req_{self.number + at}" for at in range(1, count + 1)]
        for future in [self.outbox.submit(entry(log, 0, request=one)) for one in requests]:
            future.result()
        self.number += count
        self.ledger.acknowledged |= dict.fromkeys(requests, log)

    @rule()
    def place(self) -> None:
        self.sequencer.integrate()

    @rule()
    def sign(self) -> None:
        self.sequencer.flush()

    @rule(hours=st.integers(-48, 48))
    def turn_the_clock(self, hours: int) -> None:
        self.clock.forward(hours=hours)

    @rule(step=st.integers(1, 14), after=st.booleans(), log=st.sampled_from(LOGS))
    def die(self, step: int, after: bool, log: str) -> None:
        self.record(log, 1)
        self.fate.left, self.fate.after = step, after
        with contextlib.suppress(Died, TrothError):
            self.sequencer.flush()
        self.outbox.close()
        self.sequencer._lock.release()
        self.restart()

    @precondition(lambda self: hasattr(self, "ledger"))
    @invariant()
    def nothing_is_lost(self) -> None:
        self.ledger.look(self.database)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.fate.left = 0
            self.sequencer.flush()
            self.ledger.look(self.database)
            self.ledger.settled()
            self.outbox.close()
            self.sequencer.stop()
            self.sequencer._lock.release()
            self.database.close()
            self.holder.cleanup()


class _Transaction:
    """A transaction whose commit is a durable step."""

    def __init__(self, transaction, fate: Fate) -> None:  # type: ignore[no-untyped-def]
        self.transaction, self.fate = transaction, fate

    def __enter__(self):  # type: ignore[no-untyped-def]
        return self.transaction.__enter__()

    def __exit__(self, kind, error, trace):  # type: ignore[no-untyped-def]
        if error is not None:
            return self.transaction.__exit__(kind, error, trace)
        self.fate.left -= 1
        dies = self.fate.left == 0
        if dies and not self.fate.after:
            died = Died()
            self.transaction.__exit__(Died, died, None)
            raise died
        self.transaction.__exit__(None, None, None)
        if dies:
            raise Died
        return False


TestInterleaving = Machine.TestCase
TestInterleaving.settings = settings(max_examples=20, stateful_step_count=12, deadline=None, derandomize=True)
